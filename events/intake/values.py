"""What devices write, as values: short text, numbers, moments, addresses, pictures. Nothing here raises."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from urllib.parse import urlsplit

from events.intake.camera_event import Snapshot
from geo.place import BadPlace, read_place

MOST_TEXT: Final = 200  # letters of one value: what a person reads at a glance
MOST_URL: Final = 2_000
MOST_FIELDS: Final = 24
MOST_PICTURES: Final = 8  # of one event
MOST_PICTURE_BYTES: Final = 4 * 2**20

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_ISO: Final = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9})\d{0,9})?)?"
    r" ?(?:(Z)|([+-])(\d{1,2}):?(\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_MAC: Final = re.compile(r"[0-9a-f]{12}")
_NO_MAC: Final = frozenset({"0" * 12, "f" * 12})
_FIRST_YEAR, _LAST_YEAR = 2000, 2099  # a clock outside of these was never set


def text(value: object, most: int = MOST_TEXT) -> str | None:
    """One line of at most `most` letters without control characters, or None for nothing, a list or an object."""
    if isinstance(value, str) and len(value) <= most and value.isprintable():  # nearly all: a third of the time
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else None  # longer ones cost more than they are worth
    if isinstance(value, float):
        return f"{value:.15g}"
    if not isinstance(value, str):
        return None
    line = _CONTROL.sub(" ", value[: 4 * most]).strip()
    return line[:most].rstrip() or None


def word(value: object) -> str | None:
    """The same in lower case: a kind, a target, a state."""
    line = text(value)
    return None if line is None else line.lower()[:MOST_TEXT]


def number(value: object) -> float | None:
    """A finite number, also one written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and len(value) > 40:
        return None
    if not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def whole(value: object, least: int, most: int) -> int | None:
    """A whole number between the two, also one written as text."""
    read = number(value)
    return int(read) if read is not None and read == int(read) and least <= read <= most else None


def share(value: object) -> float | None:
    """A score between 0 and 1."""
    read = number(value)
    return read if read is not None and 0 <= read <= 1 else None


def truth(value: object) -> bool | None:
    """True or false as devices write it: true, 1, on, active, yes; None for anything else."""
    return _TRUTHS.get((text(value) or "").lower())


_TRUTHS: Final = {
    **dict.fromkeys(("true", "1", "on", "active", "yes"), True),
    **dict.fromkeys(("false", "0", "off", "inactive", "no"), False),
}


@dataclass(frozen=True)
class Told:
    """When, as a device tells it: aware in UTC, or by its wall clock, or neither."""

    at: datetime | None = None
    local_time: str | None = None


def from_epoch(value: object) -> datetime | None:
    """Seconds since 1970; milliseconds where they would lie beyond this century."""
    seconds = number(value)
    if seconds is None:
        return None
    if seconds > 1e11:
        seconds /= 1_000
    if not 0 <= seconds < 4_102_444_800:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment if moment.year >= _FIRST_YEAR else None


def when(value: object) -> Told:
    """Read a moment: ISO 8601 in the ways that devices write it, yyyyMMddHHmmss(fff), or seconds since 1970."""
    line = text(value, 40) or ""
    exact = exact_moment(line)
    if exact is not None:
        return Told(exact)
    if _DIGITS.fullmatch(line):
        if len(line) in (14, 17):
            return _of([line[:4], *(line[at : at + 2] for at in range(4, 14, 2)), line[14:]], None)
        return Told(from_epoch(line)) if len(line) in (10, 13) else Told()
    found = _ISO.fullmatch(line)
    if found is None:
        return Told()
    *clock, zulu, sign, hours, minutes = found.groups()
    if zulu:
        return _of(clock, UTC)
    if not sign:
        return _of(clock, None)
    if int(hours) > 14 or int(minutes or 0) > 59:
        return Told()
    away = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return _of(clock, timezone(-away if sign == "-" else away))


def exact_moment(line: str) -> datetime | None:
    """A moment in RFC 3339 with a `T` and an offset, as most write it; None for all else, which `when` may still read.

    A fifth of the time of the pattern.
    """
    if not 20 <= len(line) <= 35 or not line.isascii():
        return None
    if (line[4], line[7], line[10], line[13], line[16]) != ("-", "-", "T", ":", ":") or line[19] not in ".Z+-":
        return None
    if line[-1] != "Z" and not (line[-6] in "+-" and line[-3] == ":" and line[-5:-3] <= "14" and line[-2] <= "5"):
        return None
    try:
        moment = datetime.fromisoformat(line)
    except ValueError:
        return None
    return moment.astimezone(UTC) if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None


def _of(clock: Sequence[str | None], zone: timezone | None) -> Told:
    year, month, day, hour, minute, second, part = (each or "0" for each in clock)
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        return Told()
    exact = 59 if second == "60" else int(second)  # a leap second
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), exact, tzinfo=zone)
    except ValueError:
        return Told()
    moment += timedelta(microseconds=int((part + "000000")[:6]))
    if zone is None:
        return Told(local_time=moment.isoformat())
    return Told(moment.astimezone(UTC))


def mac(value: object) -> str | None:
    """A hardware address in lower case with colons, whatever stood between; None for none or a blank one."""
    if value is None:
        return None
    bare = re.sub(r"[^0-9a-f]", "", (text(value, 40) or "").lower())
    if not _MAC.fullmatch(bare) or bare in _NO_MAC:
        return None
    return ":".join(bare[at : at + 2] for at in range(0, 12, 2))


def degrees(lon: object, lat: object, datum: str) -> tuple[float, float] | None:
    """A pair of degrees that can be a place on earth; 0, 0 is what devices without a fix say."""
    east, north = number(lon), number(lat)
    if east is None or north is None:
        return None
    try:
        read_place(east, north, datum)
    except BadPlace:
        return None
    return east, north


def picture(data: bytes) -> Snapshot | None:
    """A picture by its first bytes, whatever its sender calls it; None for none, and for one that is too large."""
    if len(data) > MOST_PICTURE_BYTES:
        return None
    if data.startswith(b"\xff\xd8\xff"):
        return Snapshot(media_type="image/jpeg", data=data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Snapshot(media_type="image/png", data=data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return Snapshot(media_type="image/webp", data=data)
    return None


def picture_at(value: object) -> Snapshot | None:
    """A picture that lies at an address: http or https, no name and password in it (they would be kept)."""
    line = text(value, MOST_URL + 1) or ""
    if not line.lower().startswith(("http://", "https://")) or len(line) > MOST_URL or " " in line:
        return None
    try:
        split = urlsplit(line)
    except ValueError:
        return None
    if not split.hostname or split.username is not None or split.password is not None:
        return None
    return Snapshot(media_type=media_type_of(split.path), url=line)


def media_type_of(path: str) -> str:
    """What a picture's name says that it is; a JPEG where it says nothing."""
    ending = path.rsplit(".", 1)[-1].lower()
    return {"png": "image/png", "webp": "image/webp"}.get(ending, "image/jpeg")


def fields_of(pairs: Mapping[str, object] | Iterable[tuple[str, object]]) -> dict[str, str]:
    """What of `pairs` says something, as short text, at most `MOST_FIELDS`."""
    found: dict[str, str] = {}
    for name, value in pairs.items() if isinstance(pairs, dict | Mapping) else pairs:
        line = text(value)
        if line is not None and len(found) < MOST_FIELDS:
            found[name] = line
    return found


def joined(values: Iterable[object]) -> str | None:
    """Several short words as one line."""
    return text(", ".join(line for line in map(text, values) if line))


def name_of(*parts: object) -> str:
    """A short name that is the same for the same parts and no others."""
    written = "\x1f".join("\x00" if part is None else str(part) for part in parts)
    return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()[:32]


def about_faces(kind: str) -> bool:
    """Whether a kind of camera event is of faces, which are not taken in."""
    return "face" in kind.replace("surface", "")
