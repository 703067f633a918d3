"""Uploads that are taken up again (tus 1.0.0): what their headers say, how many one caller may have open.

https://tus.io/protocols/resumable-upload: core, creation, creation-with-upload, checksum, expiration, termination.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gridsvc.errors import BadRequest, TooLarge, TooManyTries

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS: Final = ("sha1", "sha256")
"""Of checksums: the protocol asks for SHA-1."""

MOST_METADATA: Final = 2048

_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_KEY: Final = re.compile(r"[!-+\--~]{1,100}", re.ASCII)  # visible ASCII without the comma


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the sender says of a file: when (aware) and where (WGS-84) it was taken. Proves nothing."""

    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


def read_number(name: str, text: str | None) -> int:
    """A header of the protocol that counts bytes. Raises BadRequest for a missing one and for one that is none."""
    if text is None or not _NUMBER.fullmatch(text):
        raise BadRequest(
            f"{name} is {(text or 'missing')[:40]}; want a number of bytes", field=name, given=(text or "")[:40],
            wanted="a number of bytes in decimal digits",
        )  # fmt: skip
    return int(text)


def read_length(text: str | None, most: int) -> int:
    """The size of a new upload. Raises BadRequest, or TooLarge beyond `most` bytes."""
    length = read_number("Upload-Length", text)
    if length == 0:
        raise BadRequest(
            "Upload-Length is 0; want a file with something in it", field="Upload-Length", wanted="1 and more"
        )
    if length > most:
        raise TooLarge(
            f"the file has {length} bytes; want at most {most}", given=length, wanted=f"at most {most} bytes"
        )
    return length


def read_metadata(text: str | None) -> dict[str, str]:
    """`key base64,key base64`: a key without a value stands for an empty one. Raises BadRequest."""
    if text is None or not text.strip():
        return {}
    if len(text) > MOST_METADATA:
        raise _bad_metadata(f"it has {len(text)} characters", f"at most {MOST_METADATA} characters")
    read: dict[str, str] = {}
    for pair in text.split(","):
        key, _, value = pair.strip(" ").partition(" ")
        if not _KEY.fullmatch(key) or key in read:
            raise _bad_metadata(f"{key[:40]!r} is no key, or stands there twice", "key value pairs, each key once")
        try:
            read[key] = base64.b64decode(value.strip(" "), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise _bad_metadata(f"the value of {key[:40]!r} cannot be read", "UTF-8 text in Base64") from None
    return read


def _bad_metadata(why: str, wanted: str) -> BadRequest:
    return BadRequest(f"Upload-Metadata: {why}; want {wanted}", field="Upload-Metadata", wanted=wanted)


def told_by(metadata: dict[str, str]) -> Told:
    """Time and place out of the metadata. A name and a type say nothing and are let be. Raises BadRequest."""
    return Told(taken_at=_moment(metadata.get("taken_at")), **_place(metadata.get("lon"), metadata.get("lat")))


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 < moment.year < 9999:
        raise _bad_metadata(f"taken_at is {text[:40]!r}", "RFC 3339 with its offset")
    return moment


def _place(lon: str | None, lat: str | None) -> dict[str, float | None]:
    if not lon and not lat:
        return {"lon": None, "lat": None}
    try:
        there = float(lon or ""), float(lat or "")
    except ValueError:
        there = math.nan, math.nan
    if not (abs(there[0]) <= 180 and abs(there[1]) <= 90):  # NaN is in no range
        raise _bad_metadata("lon and lat are no place", "both as degrees of WGS-84")
    return {"lon": there[0], "lat": there[1]}


@dataclass(frozen=True)
class Checksum:
    """What the bytes of one request must give."""

    algorithm: str
    digest: bytes

    def started(self) -> hashlib._Hash:
        """The sum that is to be made of the bytes."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def read_checksum(text: str | None) -> Checksum | None:
    """`algorithm base64`; None where there is none. Raises BadRequest."""
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadRequest(
            f"Upload-Checksum is by {algorithm[:20]!r}; want {' or '.join(ALGORITHMS)}", field="Upload-Checksum",
            given=algorithm[:20], wanted=list(ALGORITHMS),
        )  # fmt: skip
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise BadRequest(
            f"Upload-Checksum is no {algorithm} in Base64", field="Upload-Checksum", wanted="its digest in Base64"
        )
    return Checksum(algorithm, digest)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What one caller may have on its way, and until when an upload of which nothing more comes is kept."""

    most_open: int
    most_bytes: int
    kept_for: timedelta


def may_open(length: int, open_uploads: int, open_bytes: int, allowed: Allowance) -> TooManyTries | None:
    """Why a caller with so much on its way may not begin another upload; None: he may."""
    if open_uploads >= allowed.most_open:
        return TooManyTries(
            f"{open_uploads} uploads of yours are open; want at most {allowed.most_open}: finish or end one first",
            given=open_uploads, wanted=f"at most {allowed.most_open}", retry_after_s=60,
        )  # fmt: skip
    if open_bytes + length > allowed.most_bytes:
        return TooManyTries(
            f"your open uploads announce {open_bytes} bytes and this one {length}; want at most {allowed.most_bytes}",
            given=open_bytes + length, wanted=f"at most {allowed.most_bytes}", retry_after_s=60,
        )  # fmt: skip
    return None
