"""The settings of the machine, not of the visitor: read once from the environment when the server starts."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.middleware.client_address import Network
from app.middleware.host_names import HOST_NAME
from app.support.paths import data_folder
from nayer.cluster.ray_cluster import checked_address
from nayer.common.paths import ASSETS
from nayer.errors import ConfigError

RECORDING = ASSETS / "recordings" / "emoji10.nayer"
LOOPBACK: tuple[Network, ...] = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1")))
# A Space is reached through the proxies of its cluster alone.
CLUSTER = LOOPBACK + tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))

_DIGITS = 20  # most digits of a number that the server reads


@dataclass(frozen=True)
class Environment:
    """The address of the page and the number of runs at once."""

    host: str = "127.0.0.1"
    port: int = 7860
    capacity: int = 2  # runs at once
    waiting: int = 100  # runs that may wait for a place
    grace_seconds: float = 90.0  # how long a run outlives its last viewer
    on_space: bool = False
    hosts: tuple[str, ...] = ()  # further host names of the page
    proxies: tuple[Network, ...] = ()  # trusted reverse proxies: the server accepts the client address that they report
    recording: Path | None = None  # plays for every visitor on arrival
    data: Path | None = None  # folder for runs that outlive the process; None keeps them in memory only
    data_megabytes: int = 1000
    memory_megabytes: int = 4608  # for all active runs together, on a shared page
    data_on_network: bool = False
    runs_on: str = ""  # a cluster for the runs: ray, or its address; empty for this process

    @property
    def local(self) -> bool:
        """Only people on this machine can reach the page. They may name its folders and devices.

        A named host or proxy means a shared page, for any address that the server listens on.
        """
        alone = self.host in ("127.0.0.1", "localhost", "::1")
        return alone and not (self.on_space or self.hosts or self.proxies)

    @property
    def origins(self) -> tuple[str, ...]:
        """Known origins of the page, independent of proxies: the address of a Space, which has TLS in front of it."""
        return tuple(f"https://{host}" for host in self.hosts) if self.on_space else ()

    @property
    def run_memory(self) -> int:
        """Bytes that one run may take on a shared page."""
        return (self.memory_megabytes << 20) // self.capacity

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """HOST, PORT, SPACE_ID and SPACE_HOST (set by a Space), NAYER_HOSTS (names, commas between), NAYER_PROXY
        (1 for this machine, or addresses and networks, commas between; a Space's is known), NAYER_CAPACITY,
        NAYER_WAITING, NAYER_GRACE_SECONDS, NAYER_DATA (a folder, or off), NAYER_DATA_MB, NAYER_DATA_NETWORK,
        NAYER_MEMORY_MB, NAYER_RUNS_ON (ray, or the address of a cluster).

        Raises ConfigError in one sentence.
        """
        on_space = bool(variables.get("SPACE_ID"))
        return cls(
            host=variables.get("HOST") or ("0.0.0.0" if on_space else cls.host),
            port=_number(variables, "PORT", cls.port, 0, 65535),
            capacity=_number(variables, "NAYER_CAPACITY", cls.capacity, 1, 64),
            waiting=_number(variables, "NAYER_WAITING", cls.waiting, 1, 10_000),
            grace_seconds=_number(variables, "NAYER_GRACE_SECONDS", int(cls.grace_seconds), 5, 86_400),
            on_space=on_space,
            hosts=(*_names(variables, "SPACE_HOST"), *_names(variables, "NAYER_HOSTS")),
            proxies=_networks(variables.get("NAYER_PROXY", "").strip()) or (CLUSTER if on_space else ()),
            recording=RECORDING if RECORDING.exists() else None,
            data=data_folder(variables, on_space=on_space),
            data_megabytes=_number(variables, "NAYER_DATA_MB", cls.data_megabytes, 10, 1_000_000),
            memory_megabytes=_number(variables, "NAYER_MEMORY_MB", cls.memory_megabytes, 256, 10_000_000),
            runs_on=_cluster(variables.get("NAYER_RUNS_ON", "").strip()),
            data_on_network=bool(_number(variables, "NAYER_DATA_NETWORK", int(on_space), 0, 1)),
        )


def _cluster(text: str) -> str:
    """NAYER_RUNS_ON, checked; empty for an empty text."""
    if text:
        checked_address("NAYER_RUNS_ON", text)
    return text


def _names(variables: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The host names in that variable. A browser sends a name without scheme, port and path, so no other matches."""
    found = tuple(filter(None, map(str.strip, variables.get(name, "").split(","))))
    for host in found:
        if not HOST_NAME.fullmatch(host.lower()):
            raise ConfigError(
                f"{name} must be host names separated by commas, such as nayer.example.org, without a scheme, a port "
                f"or a path; {host[:40]!r} was given."
            )
    return found


def _networks(text: str) -> tuple[Network, ...]:
    """The networks in NAYER_PROXY; none for an empty text."""
    if text == "1":
        return LOOPBACK
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",")) if text else ()
    except ValueError:
        raise ConfigError(
            "NAYER_PROXY must be 1 for a proxy on this machine, or addresses and networks separated by commas; "
            f"{text[:40]!r} was given."
        ) from None


def _number(variables: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = variables.get(name, "").strip() or str(default)
    number = text.isdecimal() and len(text) <= _DIGITS  # Python raises an error for thousands of digits
    if not number or not low <= int(text) <= high:
        raise ConfigError(f"{name} must be a whole number from {low} to {high}; {text[:40]!r} was given.")
    return int(text)
