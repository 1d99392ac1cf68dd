"""What a browser sends on behalf of another site: every way in which an origin can fall short of the page's own."""

from __future__ import annotations

from urllib.parse import urlsplit


def foreign(here: str) -> list[dict[str, str]]:
    """Headers of requests that another site causes, for a page at `here`, a scheme with a host and a port."""
    parts = urlsplit(here)
    host, port = parts.hostname, parts.port
    other = "localhost" if host == "127.0.0.1" else "127.0.0.1"
    origins = [
        *("https://evil.example", "null", "", "http://6.6.6.6", "file://", f"{host}:{port}", f"{here}, {here}"),
        *(f"http://{host}:7999", f"http://{other}:{port}", f"https://{host}:{port}", f"http://{host}", f"{here}/"),
        *(f"http://user@{host}:{port}", f"http://{host}.evil.example:{port}", f"ftp://{host}:{port}"),
    ]
    sites = ("cross-site", "same-site", "made up")
    return [
        *({"Origin": origin} for origin in origins),
        *({"Sec-Fetch-Site": site} for site in sites),
        {"Sec-Fetch-Site": "cross-site", "Origin": here},
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    ]
