"""What the page's own requests never hold: another site's origin, a proxy's headers, and texts that are refused."""

from __future__ import annotations

from urllib.parse import urlsplit

BAD = ["\ud800", "a\x00b", "\x1b[31m", "\u202egnp"]
PROXIES = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "Forwarded",
    "Via",
    "X-Gradio-Server",
    "X-Real-IP",
]


def foreign(here: str) -> list[dict[str, str]]:
    """Headers of requests that another site causes, for a page at `here`, a scheme with a host and a port: every way
    in which an origin can differ from the page's own."""
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
