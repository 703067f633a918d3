"""What an uploaded file is by its first bytes, and what a photograph claims about itself in its EXIF.

Claims prove nothing: a phone's clock, or a person, may have written them. They are kept beside the
picture and never shown inside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gridsvc.errors import UnacceptedMedia

LONGEST_SIDE: Final = 2560
"""Pixels of what is kept: enough to read a house number across a street, about 700 kB."""

THUMB_SIDE: Final = 320
QUALITY: Final = 85

WANTED: Final = "a photograph as JPEG, PNG or WebP"

HEAD: Final = 4096
"""Bytes that `accepted_kind` wants to see: some writers put a comment before what they are."""

_KINDS: Final = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"))
_STRANGERS: Final = (
    (b"GIF8", "a GIF"), (b"%PDF", "a PDF"), (b"PK\x03\x04", "a ZIP archive or office document"), (b"BM", "a BMP"),
    (b"II*\x00", "a TIFF"), (b"MM\x00*", "a TIFF"), (b"8BPS", "a Photoshop file"), (b"\x1aE\xdf\xa3", "a video"),
    (b"\xff\x0a", "a JPEG XL"), (b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
)  # fmt: skip
_BRANDS: Final = {
    b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"heim": "HEIC", b"heis": "HEIC",
    b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF", b"avis": "AVIF",
}  # fmt: skip


def accepted_kind(head: bytes) -> str:
    """'jpeg', 'png' or 'webp', by content; a file's name and declared type say nothing.

    Raises UnacceptedMedia that says what the file seems to be. That it begins like a picture does not
    make it one: only decoding tells.
    """
    for magic, kind in _KINDS:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    given = _seems(head)
    wanted = WANTED
    if given in {"HEIC", "HEIF", "AVIF"}:
        wanted += " (on an iPhone: Settings, Camera, Formats, Most Compatible)"
    raise UnacceptedMedia(f"the file is {given}; want {wanted}", given=given, wanted=WANTED)


def _seems(head: bytes) -> str:
    if not head:
        return "empty"
    for magic, name in _STRANGERS:
        if head.startswith(magic):
            return name
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG"
    return "a web page or XML" if text.startswith(b"<") else "none that is known here"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What the EXIF says: time as written (no zone, or the one it names), WGS-84 degrees. None: nothing usable."""

    taken_at: str | None = None
    lon: float | None = None
    lat: float | None = None


_MOMENT: Final = re.compile(r"^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)$")
_OFFSET: Final = re.compile(r"^[+-]\d\d:\d\d$")

# Tag numbers of Exif 2.32 (JEITA CP-3451E): in the Exif part and in the GPS part.
_ORIGINAL, _OFFSET_ORIGINAL = 0x9003, 0x9011
_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4


def claims_of(exif: Mapping[int, object], gps: Mapping[int, object]) -> Claims:
    """Read the claims out of the raw values of an EXIF's two parts; whatever is odd counts as absent."""
    lat = _degrees(gps.get(_LAT), gps.get(_LAT_REF), "S", 90)
    lon = _degrees(gps.get(_LON), gps.get(_LON_REF), "W", 180)
    if lat is None or lon is None or (lat == 0 and lon == 0):
        lat = lon = None
    return Claims(taken_at=_moment(exif.get(_ORIGINAL), exif.get(_OFFSET_ORIGINAL)), lon=lon, lat=lat)


def _moment(written: object, offset: object) -> str | None:
    if not isinstance(written, str) or not _MOMENT.match(written.strip("\0 ")):
        return None
    moment = written.strip("\0 ")
    if moment.startswith("0000"):  # a camera whose clock was never set
        return None
    zone = offset.strip("\0 ") if isinstance(offset, str) else ""
    return moment + zone if _OFFSET.match(zone) else moment


def _degrees(parts: object, side: object, negative: str, most: float) -> float | None:
    if not isinstance(parts, Sequence) or isinstance(parts, str | bytes) or len(parts) != 3:
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0 <= value <= most:
        return None
    return -value if isinstance(side, str) and side.strip("\0 ").upper() == negative else value
