"""Every setting there is, one frozen dataclass per part, read from the environment once.

Names are `GRIDSVC_…`; for each secret `…_FILE` names a file that holds it. `docs/settings.md`
lists them all (a test insists).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints
from urllib.parse import urlsplit

from gridsvc.errors import BadSettings

_Part = TypeVar("_Part")

LEAST_SECRET: Final = 32
"""Characters of a secret that keys are drawn from."""


def _of(name: str, *, least: float | None = None, most: float | None = None, secret: bool = False) -> dict[str, Any]:
    return {"name": name, "least": least, "most": most, "secret": secret}


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Where the database is. Empty: `gridsvc up` starts a private one."""

    url: str = field(default="", metadata=_of("GRIDSVC_DATABASE_URL", secret=True))
    owner_url: str = field(default="", metadata=_of("GRIDSVC_OWNER_DATABASE_URL", secret=True))
    pool_size: int = field(default=10, metadata=_of("GRIDSVC_DATABASE_POOL", least=2, most=200))

    @property
    def owner(self) -> str:
        """The login that migrates: `owner_url`, else the service's own."""
        return self.owner_url or self.url


@dataclass(frozen=True, kw_only=True)
class BrokerSettings:
    """Where RabbitMQ is. Empty: `gridsvc up` starts a private one."""

    url: str = field(default="", metadata=_of("GRIDSVC_AMQP_URL", secret=True))
    heartbeat_s: int = field(default=10, metadata=_of("GRIDSVC_AMQP_HEARTBEAT", least=5, most=120))


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """Where the web process listens and what it accepts."""

    host: str = field(default="127.0.0.1", metadata=_of("GRIDSVC_HTTP_HOST"))
    port: int = field(default=8080, metadata=_of("GRIDSVC_HTTP_PORT", least=1, most=65535))
    public_url: str = field(default="", metadata=_of("GRIDSVC_PUBLIC_URL"))
    trusted_proxies: int = field(default=0, metadata=_of("GRIDSVC_TRUSTED_PROXIES", least=0, most=5))
    body_limit: int = field(default=1_048_576, metadata=_of("GRIDSVC_BODY_LIMIT", least=1_024, most=67_108_864))
    upload_limit: int = field(default=20_971_520, metadata=_of("GRIDSVC_UPLOAD_LIMIT", least=1_024, most=268_435_456))
    body_seconds: float = field(default=30.0, metadata=_of("GRIDSVC_BODY_SECONDS", least=1, most=600))
    tls_host: str = field(default="", metadata=_of("GRIDSVC_TLS_HOST"))
    tls_port: int = field(default=8443, metadata=_of("GRIDSVC_TLS_PORT", least=1, most=65535))
    tls_folder: str = field(default="", metadata=_of("GRIDSVC_TLS_FOLDER"))
    enrol_port: int = field(default=8081, metadata=_of("GRIDSVC_ENROL_PORT", least=1, most=65535))


@dataclass(frozen=True, kw_only=True)
class IdentitySettings:
    """How callers prove who they are, and for how long."""

    secret: str = field(default="", metadata=_of("GRIDSVC_SECRET", secret=True))
    sealing_secrets: str = field(default="", metadata=_of("GRIDSVC_SEALING_SECRETS", secret=True))
    access_seconds: int = field(default=600, metadata=_of("GRIDSVC_ACCESS_SECONDS", least=60, most=3_600))
    session_days: int = field(default=30, metadata=_of("GRIDSVC_SESSION_DAYS", least=1, most=365))
    failures_per_quarter: int = field(default=10, metadata=_of("GRIDSVC_LOGIN_FAILURES", least=3, most=1_000))

    def __post_init__(self) -> None:
        if short := [len(each) for each in self.sealing_secrets.split() if len(each) < LEAST_SECRET]:
            raise BadSettings(
                f"GRIDSVC_SEALING_SECRETS has one of {short[0]} characters; "
                f"want {LEAST_SECRET} and more each, with blanks between them alone"
            )

    @property
    def sealing(self) -> list[str]:
        """The secrets that kept secrets are sealed with: the first seals, all open. Without any: `secret`."""
        return self.sealing_secrets.split() or [self.secret]


@dataclass(frozen=True, kw_only=True)
class FileSettings:
    """Where photographs and voice notes lie, how large one may be, and how much one caller may have on its way."""

    directory: Path = field(default=Path(".grid/files"), metadata=_of("GRIDSVC_FILES"))
    most_pixels: int = field(default=50_000_000, metadata=_of("GRIDSVC_PIXEL_LIMIT", least=1_000_000, most=500_000_000))
    sound_limit: int = field(default=10_485_760, metadata=_of("GRIDSVC_SOUND_LIMIT", least=1_024, most=67_108_864))
    originals: str = field(default="on", metadata=_of("GRIDSVC_ORIGINALS"))
    most_uploads: int = field(default=100, metadata=_of("GRIDSVC_UPLOADS_OPEN", least=1, most=10_000))
    upload_bytes: int = field(default=1_073_741_824, metadata=_of("GRIDSVC_UPLOADS_BYTES", least=1_024, most=2**40))
    upload_hours: int = field(default=72, metadata=_of("GRIDSVC_UPLOAD_HOURS", least=1, most=720))
    bucket_endpoint: str = field(default="", metadata=_of("GRIDSVC_BUCKET_ENDPOINT"))
    bucket_name: str = field(default="", metadata=_of("GRIDSVC_BUCKET_NAME"))
    bucket_region: str = field(default="us-east-1", metadata=_of("GRIDSVC_BUCKET_REGION"))
    bucket_key: str = field(default="", metadata=_of("GRIDSVC_BUCKET_KEY"))
    bucket_secret: str = field(default="", metadata=_of("GRIDSVC_BUCKET_SECRET", secret=True))

    def __post_init__(self) -> None:
        if self.originals not in {"on", "off"}:
            raise BadSettings(f"GRIDSVC_ORIGINALS is {self.originals!r}; want on or off")
        given = {
            "GRIDSVC_BUCKET_ENDPOINT": self.bucket_endpoint,
            "GRIDSVC_BUCKET_KEY": self.bucket_key,
            "GRIDSVC_BUCKET_SECRET": self.bucket_secret,
        }
        missing = [name for name, value in given.items() if not value]
        if self.bucket_name and missing:
            raise BadSettings(f"GRIDSVC_BUCKET_NAME is set and {', '.join(missing)} not; want all of them, or none")
        if self.bucket_endpoint and not re.fullmatch(r"https?://[^/\s]+/?", self.bucket_endpoint):
            given_url = repr(self.bucket_endpoint)
            raise BadSettings(f"GRIDSVC_BUCKET_ENDPOINT is {given_url}; want http:// or https:// and a host")


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """How emergencies are exported as CAP alerts."""

    sender: str = field(default="", metadata=_of("GRIDSVC_CAP_SENDER"))
    scope: str = field(default="restricted", metadata=_of("GRIDSVC_CAP_SCOPE"))
    restricted_to: str = field(
        default="duty desks and emergency services of the city", metadata=_of("GRIDSVC_CAP_RESTRICTION")
    )

    def __post_init__(self) -> None:
        if self.scope not in {"restricted", "public"}:
            raise BadSettings(f"GRIDSVC_CAP_SCOPE is {self.scope!r}; want restricted or public")
        if wrong := sorted({*self.sender} & {*" ,<&"}):
            raise BadSettings(f"GRIDSVC_CAP_SENDER is {self.sender!r}; want it without {' '.join(map(repr, wrong))}")

    @property
    def restriction(self) -> str | None:
        """Whom an alert is for; None: everybody."""
        return self.restricted_to if self.scope == "restricted" else None


@dataclass(frozen=True, kw_only=True)
class ViidSettings:
    """How the service names itself to devices and platforms of GA/T 1400."""

    server: str = field(default="", metadata=_of("GRIDSVC_VIID_SERVER"))

    def __post_init__(self) -> None:
        if self.server and not (len(self.server) == 20 and self.server.isascii() and self.server.isdecimal()):
            raise BadSettings(f"GRIDSVC_VIID_SERVER is {self.server!r}; want the 20 digits of this platform")


@dataclass(frozen=True, kw_only=True)
class SipSettings:
    """Where devices of GB/T 28181 register. Without `listen` nobody listens."""

    listen: str = field(default="", metadata=_of("GRIDSVC_SIP_LISTEN"))
    server: str = field(default="", metadata=_of("GRIDSVC_SIP_SERVER"))

    def __post_init__(self) -> None:
        if self.listen and self.address is None:
            raise BadSettings(f"GRIDSVC_SIP_LISTEN is {self.listen!r}; want an address and a port, 0.0.0.0:5060 say")
        if (self.server or self.listen) and not re.fullmatch(r"[0-9]{20}", self.server, re.ASCII):
            raise BadSettings(f"GRIDSVC_SIP_SERVER is {self.server!r}; want the 20 digits of this platform")

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of `listen`."""
        host, _, port = self.listen.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        good = bare and port.isascii() and port.isdecimal() and int(port) < 65_536
        return (bare, int(port)) if good else None

    @property
    def realm(self) -> str:
        """The domain that devices prove their password for: the centre and the trade in the platform's code."""
        return self.server[:10]


@dataclass(frozen=True, kw_only=True)
class PushSettings:
    """Which push services inside the city's own network phones may name, and who answers for what we push."""

    private: str = field(default="", metadata=_of("GRIDSVC_PUSH_HOSTS"))
    contact: str = field(default="", metadata=_of("GRIDSVC_PUSH_CONTACT"))

    def __post_init__(self) -> None:
        if not all(_is_origin(each) for each in self.private.split()):
            given = repr(self.private)
            raise BadSettings(f"GRIDSVC_PUSH_HOSTS is {given}; want http(s)://host or host:port, with blanks between")
        if self.contact and not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+|https://[^\s/]\S*", self.contact):
            raise BadSettings(f"GRIDSVC_PUSH_CONTACT is {self.contact!r}; want mailto:… or https://…")


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """How often the workers look, and how much they take at once."""

    relay_poll_ms: int = field(default=25, metadata=_of("GRIDSVC_RELAY_POLL_MS", least=5, most=10_000))
    relay_batch: int = field(default=128, metadata=_of("GRIDSVC_RELAY_BATCH", least=1, most=1_000))
    prefetch: int = field(default=16, metadata=_of("GRIDSVC_PREFETCH", least=1, most=200))
    sweep_seconds: float = field(default=1.0, metadata=_of("GRIDSVC_SWEEP_SECONDS", least=0.05, most=60))
    sweep_batch: int = field(default=200, metadata=_of("GRIDSVC_SWEEP_BATCH", least=1, most=5_000))
    sweep_rate: int = field(default=1_500, metadata=_of("GRIDSVC_SWEEP_RATE", least=1, most=100_000))
    reconcile_seconds: float = field(default=5.0, metadata=_of("GRIDSVC_RECONCILE_SECONDS", least=0.05, most=600))
    camera_seconds: float = field(default=0.25, metadata=_of("GRIDSVC_CAMERA_SECONDS", least=0.05, most=60))
    camera_batch: int = field(default=2_000, metadata=_of("GRIDSVC_CAMERA_BATCH", least=1, most=20_000))
    most_attempts: int = field(default=8, metadata=_of("GRIDSVC_MOST_ATTEMPTS", least=1, most=50))
    metrics_host: str = field(default="127.0.0.1", metadata=_of("GRIDSVC_METRICS_HOST"))
    metrics_port: int = field(default=0, metadata=_of("GRIDSVC_METRICS_PORT", least=0, most=65535))


@dataclass(frozen=True, kw_only=True)
class TileSettings:
    """How much of the map a web process keeps, and how many tiles it makes at once."""

    cache_bytes: int = field(
        default=134_217_728, metadata=_of("GRIDSVC_TILE_CACHE", least=1_048_576, most=17_179_869_184)
    )
    connections: int = field(default=3, metadata=_of("GRIDSVC_TILE_CONNECTIONS", least=1, most=64))


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """How the live feed is followed, and how much of it is remembered."""

    poll_ms: int = field(default=100, metadata=_of("GRIDSVC_LIVE_POLL_MS", least=10, most=10_000))
    heartbeat_s: float = field(default=5.0, metadata=_of("GRIDSVC_LIVE_HEARTBEAT", least=0.05, most=60))
    ring_deltas: int = field(default=20_000, metadata=_of("GRIDSVC_LIVE_RING", least=1, most=50_000))
    ring_bytes: int = field(default=33_554_432, metadata=_of("GRIDSVC_LIVE_RING_BYTES", least=1_024, most=2**30))
    ring_seconds: float = field(default=900.0, metadata=_of("GRIDSVC_LIVE_RING_SECONDS", least=1, most=1_800))
    buffer_bytes: int = field(default=1_048_576, metadata=_of("GRIDSVC_LIVE_BUFFER", least=1_024, most=67_108_864))
    most_watchers: int = field(default=5_000, metadata=_of("GRIDSVC_LIVE_WATCHERS", least=1, most=100_000))


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """What is written to standard error."""

    level: str = field(default="INFO", metadata=_of("GRIDSVC_LOG_LEVEL"))

    def __post_init__(self) -> None:
        if self.level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise BadSettings(f"GRIDSVC_LOG_LEVEL is {self.level!r}; want DEBUG, INFO, WARNING or ERROR")


@dataclass(frozen=True, kw_only=True)
class InstanceSettings:
    """Which city this is, and how `gridsvc up` treats it."""

    home: Path = field(default=Path(".grid"), metadata=_of("GRIDSVC_HOME"))
    simulate: str = field(default="on", metadata=_of("GRIDSVC_SIMULATE"))

    def __post_init__(self) -> None:
        if self.simulate not in {"on", "off"}:
            raise BadSettings(f"GRIDSVC_SIMULATE is {self.simulate!r}; want on or off")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All parts. Each process builds this once and hands every part its own."""

    instance: InstanceSettings
    database: DatabaseSettings
    broker: BrokerSettings
    http: HttpSettings
    identity: IdentitySettings
    files: FileSettings
    alerts: AlertSettings
    viid: ViidSettings
    sip: SipSettings
    push: PushSettings
    workers: WorkerSettings
    tiles: TileSettings
    live: LiveSettings
    logs: LogSettings


PARTS: Final = (
    InstanceSettings, DatabaseSettings, BrokerSettings, HttpSettings,
    IdentitySettings, FileSettings, AlertSettings, ViidSettings, SipSettings, PushSettings, WorkerSettings,
    TileSettings, LiveSettings, LogSettings,
)  # fmt: skip


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read every setting from `environment` (the process's own by default).

    Raises BadSettings naming the setting, what was given and what is wanted.
    An unknown GRIDSVC_ name is refused too: a misspelt setting must not be silently ignored.
    """
    given = os.environ if environment is None else environment
    known = {name for part in PARTS for name in setting_names(part)}
    strangers = sorted(n for n in given if n.startswith("GRIDSVC_") and n not in known | _OUTSIDE)
    if strangers:
        raise BadSettings(f"{', '.join(strangers)}: no such setting; docs/settings.md lists them all")
    return Settings(
        instance=_read(InstanceSettings, given),
        database=_read(DatabaseSettings, given),
        broker=_read(BrokerSettings, given),
        http=_read(HttpSettings, given),
        identity=_read(IdentitySettings, given),
        files=_read(FileSettings, given),
        alerts=_read(AlertSettings, given),
        viid=_read(ViidSettings, given),
        sip=_read(SipSettings, given),
        push=_read(PushSettings, given),
        workers=_read(WorkerSettings, given),
        tiles=_read(TileSettings, given),
        live=_read(LiveSettings, given),
        logs=_read(LogSettings, given),
    )


# Read by the tests and the build alone.
_OUTSIDE: Final = frozenset({"GRIDSVC_SAMPLE_DATA"})


def _is_origin(text: str) -> bool:
    try:
        port = urlsplit(text).port
    except ValueError:
        return False
    return port != 0 and re.fullmatch(r"https?://(\[[0-9a-f:]+\]|[^/\s:@?#\[\]]+)(:[0-9]+)?/?", text) is not None


def setting_names(part: type[Any]) -> list[str]:
    """The environment names of one part, with the `_FILE` twin of each secret."""
    names = []
    for entry in fields(part):
        names.append(entry.metadata["name"])
        if entry.metadata["secret"]:
            names.append(entry.metadata["name"] + "_FILE")
    return names


def _read(part: type[_Part], given: Mapping[str, str]) -> _Part:
    types = get_type_hints(part)
    values: dict[str, object] = {}
    for entry in fields(part):  # type: ignore[arg-type]  # every part is a dataclass
        text = _text_of(entry.metadata, given)
        if text is not None:
            values[entry.name] = _parse(entry.metadata, types[entry.name], text)
    return part(**values)


def _text_of(meta: Mapping[str, Any], given: Mapping[str, str]) -> str | None:
    name = meta["name"]
    if meta["secret"] and given.get(name + "_FILE"):
        if given.get(name):
            raise BadSettings(f"{name} and {name}_FILE are both set; want one of them")
        path = Path(given[name + "_FILE"])
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSettings(f"{name}_FILE is {path}, which cannot be read: {error.strerror}") from error
    return given.get(name) or None


def _parse(meta: Mapping[str, Any], kind: type[object], text: str) -> object:
    name, least, most = meta["name"], meta["least"], meta["most"]
    if kind is Path:
        return Path(text)
    if kind is str:
        return text
    try:
        number = int(text) if kind is int else float(text)
    except ValueError:
        raise BadSettings(f"{name} is {text!r}; want a number from {least:g} to {most:g}") from None
    if not least <= number <= most:
        raise BadSettings(f"{name} is {text}; want {least:g} to {most:g}")
    return number
