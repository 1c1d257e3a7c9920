"""Settings: flags win over the environment (`PEAL_...`), that over the file, that over the defaults."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from peal.db import url as database_url


class SettingsError(Exception):
    """A setting that is wrong; the text names it and says why."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All settings, with their defaults; names as in the file (environment: `PEAL_NAME`)."""

    home: str = "var"
    """Folder of everything that Peal keeps on disk."""
    database_url: str = ""
    """`sqlite:///FILE` or `postgresql://...`; empty: `peal.db` in `home`."""
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8080
    trusted_proxies: str = ""
    """Networks, by commas, of proxies; their `Forwarded` or `X-Forwarded-For` says who asks."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """Processes that answer requests."""
    plain_http: bool = False
    """Allow an address that is not loopback without TLS (behind a proxy that speaks it)."""
    database_connections: Annotated[int, msgspec.Meta(ge=1, le=200)] = 16
    """Connections to the database of one worker."""
    token_seconds: Annotated[int, msgspec.Meta(ge=1)] = 3600
    """How long an access token is good, in seconds."""
    token_cache_seconds: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.0
    """How long another worker may still honour a revoked token, in seconds."""
    rate_limit: Annotated[int, msgspec.Meta(ge=0)] = 10_000
    """Requests per hour of a client and application, where the application says nothing; 0 = none."""
    guess_limit: Annotated[int, msgspec.Meta(ge=1)] = 20
    """Wrong secrets per second of one address for one application at `/oauth`; for all applications twice as
    many, and fifty times as many requests that are good."""
    bundle_limit: Annotated[int, msgspec.Meta(ge=1, le=14)] = 9
    """Extensions associated with one main extension, at most."""
    max_body: Annotated[int, msgspec.Meta(ge=1024)] = 1_048_576
    """Bytes of a request body, at most (sounds have a limit of their own)."""

    history_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 365
    """Days that calls are kept in the history; 0: for ever."""

    switch: bool = True
    """Whether `peal up` runs the SIP service, too."""
    phones: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 10_000
    """Registered phones that the SIP service has memory for."""
    calls: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1000
    """Calls up at a time that it has memory for."""
    sip_host: str = "127.0.0.1"
    """Addresses that phones reach the SIP service at, separated by commas; IPv4 and IPv6."""
    sip_public: str = ""
    """Addresses that a NAT before the SIP service has for those of `sip_host`, in order; empty: none."""
    sip_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 5060
    """UDP and TCP."""
    sip_tls_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 5061
    tls_certificate: str = ""
    """File of the certificate that phones are shown over TLS, its chain after it; empty: one made by Peal."""
    tls_key: str = ""
    """File of its private key."""
    nat_seconds: Annotated[int, msgspec.Meta(ge=1, le=120)] = 20
    """How often a phone behind NAT is sent something that keeps its way open."""
    relay_media: Literal["needed", "always", "never"] = "needed"
    """Calls whose media goes through the relay."""
    relay_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 5067
    """Port on loopback where the relay takes the switch's commands, TCP."""
    rtp_ports: str = "30000-39999"
    """Ports of relayed media, UDP, at each address of `sip_host`: four for a call."""
    control_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 5066
    """Port on loopback where the SIP service takes questions and commands."""
    sip_workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    """Processes of the SIP service that take messages over UDP."""
    ring_seconds: Annotated[float, msgspec.Meta(ge=1, le=600)] = 60
    """How long phones ring."""
    answer_seconds: Annotated[float, msgspec.Meta(ge=0.5, le=32)] = 10
    """How long a phone may take to its first answer, a provisional one included."""
    max_contacts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    """Phones that may be registered for one extension; for one more the oldest goes."""
    guesses: Annotated[int, msgspec.Meta(ge=1)] = 20
    """Wrong SIP passwords of one address for one number that ban the pair."""
    ban_seconds: Annotated[int, msgspec.Meta(ge=1)] = 600
    flood_limit: Annotated[int, msgspec.Meta(ge=1)] = 4000
    """SIP requests of one address within two seconds; what comes beyond is dropped while it lasts."""
    emergency_numbers: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{2,6}(,[0-9]{2,6})*)?$")] = "112,911"
    """Numbers, by commas, that everybody may call, and that no extension may have."""
    trunk_seconds: Annotated[float, msgspec.Meta(ge=0.5, le=32)] = 4
    """How long a trunk may take to its first answer before the next one is tried."""

    events_private_targets: str = ""
    """Networks, by commas, that events may be sent to beside public addresses."""
    events_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 10
    """How long a subscriber may take to answer."""
    events_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 30
    """Days that events told, and what became of their deliveries, are kept; 0: for ever."""

    @property
    def private_targets(self) -> Sequence[IPv4Network | IPv6Network]:
        """Those of `events_private_targets`."""
        return _networks(self.events_private_targets)

    @property
    def trusted_networks(self) -> Sequence[IPv4Network | IPv6Network]:
        """Those of `trusted_proxies`."""
        return _networks(self.trusted_proxies)

    @property
    def emergencies(self) -> frozenset[str]:
        """The emergency numbers."""
        return frozenset(filter(None, self.emergency_numbers.split(",")))

    @property
    def database(self) -> str:
        """The database's name, with the default resolved."""
        return self.database_url or f"sqlite:///{Path(self.home).resolve() / 'peal.db'}"

    @property
    def rtp_range(self) -> tuple[int, int]:
        """First and last of `rtp_ports`."""
        first, _, last = self.rtp_ports.partition("-")
        return int(first), int(last)

    @property
    def sip_addresses(self) -> list[IPv4Address | IPv6Address]:
        """Those of `sip_host`."""
        return _addresses(self.sip_host)

    @property
    def public_addresses(self) -> list[IPv4Address | IPv6Address]:
        """What phones and trunks are told of them, each in its place."""
        return _addresses(self.sip_public or self.sip_host)


def _networks(named: str) -> list[IPv4Network | IPv6Network]:
    return [ip_network(each.strip()) for each in named.split(",") if each.strip()]


def _addresses(named: str) -> list[IPv4Address | IPv6Address]:
    return [ip_address(each.strip()) for each in named.split(",")]


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in force.

    Raises:
        SettingsError: naming the setting that is unknown or wrong.
    """
    env = os.environ if environ is None else environ
    values = {**_from_file(env.get("PEAL_CONFIG")), **_from_environment(env)}
    values.update({k: v for k, v in (flags or {}).items() if v is not None})
    settings = _convert(values)
    _check(settings)
    return settings


def to_environment(settings: Settings) -> dict[str, str]:
    """Return `settings` as the environment of a worker process."""
    return {f"PEAL_{k.upper()}": str(v) for k, v in msgspec.to_builtins(settings).items()}


def _from_file(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"PEAL_CONFIG: {path}: {error}") from error


def _from_environment(env: Mapping[str, str]) -> dict[str, str]:
    return {k[5:].lower(): v for k, v in env.items() if k.startswith("PEAL_") and k != "PEAL_CONFIG"}


def _convert(values: dict[str, Any]) -> Settings:
    known = {f.name: f.type for f in msgspec.structs.fields(Settings)}
    for name, value in values.items():
        if name not in known:
            raise SettingsError(f"{name}: no such setting; there are {', '.join(known)}")
        try:
            values[name] = msgspec.convert(value, known[name], strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{name}: {error}, got {value!r}") from error
    return Settings(**values)


def _check(settings: Settings) -> None:
    try:
        database_url.parse(settings.database)
    except ValueError as error:
        raise SettingsError(f"database_url: {error}") from error
    if settings.host not in ("127.0.0.1", "::1", "localhost") and not settings.plain_http:
        raise SettingsError(
            "host: access tokens must not travel in plain http beyond this machine; put a proxy with TLS"
            " in front and set plain_http (PEAL_PLAIN_HTTP=true)"
        )
    for name in ("events_private_targets", "trusted_proxies"):
        try:
            _networks(getattr(settings, name))
        except ValueError as error:
            raise SettingsError(f"{name}: {error}; networks by commas, like 10.0.0.0/8") from error
    if any(not network.prefixlen for network in settings.trusted_networks):
        raise SettingsError("trusted_proxies: a network of all addresses would let everybody be anybody")
    _check_sip(settings)


def _check_sip(settings: Settings) -> None:
    own = _families("sip_host", settings.sip_host)
    if _families("sip_public", settings.sip_public or settings.sip_host) != own:
        raise SettingsError("sip_public: must name one of the same family for each of sip_host, in order")
    try:
        first, last = settings.rtp_range
    except ValueError:
        first = last = 0
    if not 1024 <= first < last <= 65535:
        raise SettingsError("rtp_ports: must be FIRST-LAST, of 1024 to 65535")
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise SettingsError("tls_certificate, tls_key: both or neither")


def _families(name: str, named: str) -> list[int]:
    """Return the versions of the addresses that a setting names, each one that phones can be told."""
    try:
        addresses = _addresses(named)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from error
    for address in addresses:
        if address.is_unspecified:
            raise SettingsError(f"{name}: {address} is any address; phones are told which, so name each")
    return [address.version for address in addresses]
