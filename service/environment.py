"""Where settings stand: variables QUOTH_* of the environment, `.env` and `quoth.toml`, and how their text is read.

In each, an empty value counts as unset. The variables that Kubernetes sets in a container for each Service of its namespace,
its "service links", are passed over.

A Service named quoth gives QUOTH_SERVICE_HOST, QUOTH_PORT=tcp://10.0.0.1:8000 and more, and one named quoth-llm gives
QUOTH_LLM_SERVICE_HOST and so on: names with the prefix of Quoth's settings that nobody set by hand. The kubelet writes those of
a Service all together, so one is taken for a link only if its value has the form of a link and agrees with the address and
port of its Service. QUOTH_PORT=tcp://... alone stays the wrong value of a setting.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, NoDecode, TomlConfigSettingsSource

PREFIX = "QUOTH_"
DOTENV = Path(".env")
TOML = Path("quoth.toml")

OWN_PATHS = frozenset("v1 a assets view gaps slack mcp healthz readyz metrics openapi.json favicon.ico".split())
"""The first parts of the paths that Quoth serves."""
_MAX_PATH = 256
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_HOST, _PORT = "_SERVICE_HOST", "_SERVICE_PORT"
_ENDPOINT = re.compile(r"(tcp|udp|sctp)://(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})")
_OF_PORT = re.compile(r"_PORT_([0-9]{1,5})_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR|)")
_PORT_NAME = re.compile(r"_SERVICE_PORT_[A-Z0-9_]+")


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _require_networks(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        if entry != "*":
            ip_network(entry)  # its ValueError names the entry
    return entries


def _require_origins(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        if not _ORIGIN.fullmatch(entry):
            raise ValueError(
                f"{entry!r} is no origin: write a scheme, a host and perhaps a port in small letters, without a path, "
                "such as https://intranet.example.org"
            )
    return entries


def url_path(text: object) -> str:
    """The path without a slash at its end; "" for the root. Raises ValueError unless it is a plain path such as /docs/quoth.

    A path of Quoth's own is none: whether /v1/chat begins with the prefix /v1 or lacks it could not be told.
    """
    path = str(text).rstrip("/")
    if len(path) > _MAX_PATH or not _PATH.fullmatch(path):
        raise ValueError("write a path of letters, digits and -._~ that begins with a slash, such as /quoth")
    if path.removeprefix("/") in OWN_PATHS:
        raise ValueError(f"{path} is a path of Quoth's own: take another one, such as /quoth")
    return path


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Texts, separated by commas."""
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_require_origins)]
"""Origins of web sites: a scheme, a host and perhaps a port, as browsers send them."""
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_require_networks)]
"""IP addresses and networks, separated by commas; `*` is all."""
UrlPath = Annotated[str, BeforeValidator(url_path)]
"""A path of URLs, without a slash at its end."""


class Environment(EnvSettingsSource):
    """The settings in the environment."""

    def __call__(self) -> dict[str, Any]:
        """Their values by field name."""
        links = passed_over()
        return {name: value for name, value in super().__call__().items() if f"{PREFIX}{name.upper()}" not in links}


class PrefixedDotEnv(DotEnvSettingsSource):
    """The settings in `.env`; other programs may have theirs in the same file."""

    def __call__(self) -> dict[str, Any]:
        """Their values by field name."""
        return {key: value for key, value in super().__call__().items() if key in self.settings_cls.model_fields}


class FilledToml(TomlConfigSettingsSource):
    """The keys of `quoth.toml` whose value is not empty."""

    def __call__(self) -> dict[str, Any]:
        """Their values by key."""
        return {key: value for key, value in super().__call__().items() if value != ""}


def passed_over() -> frozenset[str]:
    """The variables of this process that look like settings but that Kubernetes set for its Services."""
    return service_links(os.environ, PREFIX)


@dataclass(frozen=True, slots=True)
class _Service:
    """A Service: its name as in variables (QUOTH_LLM), its address and its first port."""

    name: str
    address: str
    port: str

    def is_link(self, name: str, value: str) -> bool:
        """Whether the variable is a link of this Service."""
        rest = name.removeprefix(self.name)
        if rest == name:
            return False
        if rest in (_HOST, _PORT):
            return True
        if rest == "_PORT":
            return self._is_endpoint(value, self.port)
        if of_port := _OF_PORT.fullmatch(rest):
            port, protocol, fact = of_port.groups()
            facts = {"_PROTO": protocol.lower(), "_PORT": port, "_ADDR": self.address}
            return value == facts[fact] if fact else self._is_endpoint(value, port, protocol.lower())
        return _PORT_NAME.fullmatch(rest) is not None and _is_port(value)

    def _is_endpoint(self, value: str, port: str, protocol: str | None = None) -> bool:
        parts = _ENDPOINT.fullmatch(value)
        return (
            parts is not None
            and (parts[2] or parts[3]) == self.address
            and parts[4] == port
            and protocol in (None, parts[1])
        )


def service_links(variables: Mapping[str, str], prefix: str) -> frozenset[str]:
    """The names of those variables that begin with `prefix` and are links of a Service."""
    candidates = {name: value for name, value in variables.items() if name.startswith(prefix)}
    services = list(_services(candidates))
    return frozenset(
        name for name, value in candidates.items() if any(service.is_link(name, value) for service in services)
    )


def _services(variables: Mapping[str, str]) -> Iterator[_Service]:
    for name, value in variables.items():
        base = name.removesuffix(_HOST)
        port = variables.get(f"{base}{_PORT}", "")
        if base != name and _is_address(value) and _is_port(port):
            yield _Service(base, value, port)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,5}", text) is not None and 0 < int(text) < 65536
