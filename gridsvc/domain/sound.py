"""What a voice note is by its content: Ogg with Opus, WebM with Opus, MP4 with AAC, or WAV.

A voice note is kept as it came and never decoded here, so what can be said about it without decoding is checked: the
container is of its kind from the first byte to the last, holds one track of sound by the codec named and nothing else,
and nothing stands behind it. Pure, on bytes; every walk is bounded by MOST_PIECES.

Ogg: RFC 3533 and 7845. WebM: RFC 8794 and 9559. MP4: ISO/IEC 14496-12 and -14. WAV: RFC 2361.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from gridsvc.errors import UnacceptedMedia

OGG: Final = "audio/ogg"
WEBM: Final = "audio/webm"
MP4: Final = "audio/mp4"
WAV: Final = "audio/wav"

SUFFIXES: Final = {OGG: ".ogg", WEBM: ".webm", MP4: ".m4a", WAV: ".wav"}

WANTED: Final = "a voice note as Ogg or WebM with Opus, MP4 with AAC, or WAV"

MOST_PIECES: Final = 100_000
"""Pages, elements or boxes of one file: an hour in pieces of 20 ms has 180 000 packets and 3 600 pages."""


class _Odd(Exception):
    """The file is not what it begins as; the text says why."""


def seems_sound(head: bytes) -> bool:
    """Whether a file begins like a voice note; whether it is one only `sound_kind` tells."""
    return (
        head.startswith((b"OggS", b"\x1aE\xdf\xa3"))
        or (head[:4] == b"RIFF" and head[8:12] == b"WAVE")
        or (head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS)
    )


_MP4_BRANDS: Final = {
    b"M4A ", b"M4B ", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"dash", b"3gp4", b"3gp5",
}  # fmt: skip



def sound_kind(content: bytes) -> str:
    """The media type of a whole voice note. Raises UnacceptedMedia that says what is wrong with it."""
    try:
        if content.startswith(b"OggS"):
            return _ogg(content)
        if content.startswith(b"\x1aE\xdf\xa3"):
            return _webm(content)
        if content[:4] == b"RIFF":
            return _wav(content)
        return _mp4(content)
    except (_Odd, struct.error, IndexError, RecursionError) as odd:
        given = str(odd) if isinstance(odd, _Odd) else "it ends in the middle"
        raise UnacceptedMedia(f"the voice note cannot be kept: {given}", given=given, wanted=WANTED) from None


# -- Ogg -----------------------------------------------------------------------------------------------


def _ogg(content: bytes) -> str:
    at, streams, last = 0, set(), 0
    for number in range(MOST_PIECES):
        if at == len(content):
            break
        magic, version, kind, _, serial, _, _, segments = struct.unpack_from("<4sBBqIIIB", content, at)
        if magic != b"OggS" or version != 0:
            raise _Odd("something that is no page of Ogg stands in it")
        body = at + 27 + segments
        size = sum(content[at + 27 : body])
        if body + size > len(content):
            raise _Odd("it ends in the middle")
        if number == 0 and not (kind & 2 and content[body : body + 8] == b"OpusHead"):
            raise _Odd("it is an Ogg without Opus")
        if number and kind & 2:
            raise _Odd("it holds more than one stream")
        streams.add(serial)
        at, last = body + size, number
    if at != len(content):
        raise _Odd("it has too many pieces")
    if len(streams) != 1 or last < 2:  # its head, its tags, and sound
        raise _Odd("it holds no sound, or more than one stream")
    return OGG


# -- WebM ----------------------------------------------------------------------------------------------

_EBML, _SEGMENT, _CLUSTER, _TRACKS, _ENTRY = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE
_DOCTYPE, _TRACK_TYPE, _CODEC = 0x4282, 0x83, 0x86
_IN_SEGMENT: Final = {_TRACKS, _CLUSTER, 0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1254C367, 0xEC, 0xBF}
_IN_CLUSTER: Final = {0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0xEC, 0xBF}  # time, blocks, position, void, checksum
_UNKNOWN: Final = -1


def _webm(content: bytes) -> str:
    budget = [MOST_PIECES]
    doctype, tracks, clusters, at = b"", list[dict[int, bytes]](), 0, 0
    for ident, start, end in _elements(content, 0, len(content), budget):
        if ident == _EBML:
            doctype = _children(content, start, end, budget).get(_DOCTYPE, b"")
        elif ident == _SEGMENT and doctype.rstrip(b"\0") == b"webm":
            clusters = _segment(content, start, end, tracks, budget)
        else:
            raise _Odd("it is no WebM, or something stands behind it")
        at = end
    if at != len(content) or not clusters:
        raise _Odd("it holds no sound")
    kinds = [(track.get(_TRACK_TYPE), track.get(_CODEC, b"").rstrip(b"\0")) for track in tracks]
    if kinds != [(b"\x02", b"A_OPUS")]:
        raise _Odd("it holds something else than one track of Opus")
    return WEBM


def _segment(content: bytes, start: int, end: int, tracks: list[dict[int, bytes]], budget: list[int]) -> int:
    clusters, in_cluster = 0, False
    for ident, begin, stop in _elements(content, start, end, budget, enter=_CLUSTER):
        if ident == _TRACKS:
            for inner, first, behind in _elements(content, begin, stop, budget):
                if inner == _ENTRY:
                    tracks.append(_children(content, first, behind, budget))
        elif ident == _CLUSTER:
            clusters, in_cluster = clusters + 1, True
        elif not (ident in _IN_SEGMENT or (in_cluster and ident in _IN_CLUSTER)):
            raise _Odd("something stands in it that is no WebM")
    return clusters


def _children(content: bytes, start: int, end: int, budget: list[int]) -> dict[int, bytes]:
    return {ident: content[begin:stop] for ident, begin, stop in _elements(content, start, end, budget)}


def _elements(
    content: bytes, start: int, end: int, budget: list[int], enter: int | None = None
) -> Iterator[tuple[int, int, int]]:
    """Identifier, beginning and end of what stands between `start` and `end`; into `enter` it goes by itself.

    Only a Segment and a Cluster may be without a size, as recorders of browsers write them: they reach to the end.
    """
    at = start
    while at < end:
        budget[0] -= 1
        if budget[0] < 0:
            raise _Odd("it has too many pieces")
        ident, at = _identifier(content, at)
        size, at = _size(content, at)
        if size == _UNKNOWN and ident not in (_SEGMENT, _CLUSTER):
            raise _Odd("a piece without a size")
        stop = end if size == _UNKNOWN else at + size
        if stop > end:
            raise _Odd("it ends in the middle")
        yield ident, at, stop
        at = at if ident == enter else stop


def _identifier(content: bytes, at: int) -> tuple[int, int]:
    length = 9 - content[at].bit_length()
    if length > 4:
        raise _Odd("something stands in it that is no WebM")
    return int.from_bytes(content[at : at + length], "big"), at + length


def _size(content: bytes, at: int) -> tuple[int, int]:
    length = 9 - content[at].bit_length()
    if length > 8:
        raise _Odd("something stands in it that is no WebM")
    value = int.from_bytes(content[at : at + length], "big") & (1 << 7 * length) - 1
    return (_UNKNOWN if value == (1 << 7 * length) - 1 else value), at + length


# -- MP4 -----------------------------------------------------------------------------------------------

_TOP: Final = {b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"sidx", b"styp", b"mfra"}


def _mp4(content: bytes) -> str:
    budget = [MOST_PIECES]
    tracks: list[tuple[bytes, bytes]] = []
    kinds: list[bytes] = []
    for kind, start, end in _boxes(content, 0, len(content), budget):
        if kind not in _TOP or (not kinds and kind != b"ftyp"):
            raise _Odd("something stands in it that is no MP4")
        kinds.append(kind)
        if kind == b"moov":
            tracks += [
                _track(content, first, behind, budget)
                for inner, first, behind in _boxes(content, start, end, budget)
                if inner == b"trak"
            ]
    if b"mdat" not in kinds:
        raise _Odd("it holds no sound")
    if tracks != [(b"soun", b"mp4a")]:
        raise _Odd("it holds something else than one track of AAC")
    return MP4


def _track(content: bytes, start: int, end: int, budget: list[int]) -> tuple[bytes, bytes]:
    """Handler and codec of a track: the first four bytes of the first sample description."""
    handler = codec = b""
    for kind, begin, stop in _boxes(content, start, end, budget):
        if kind in (b"mdia", b"minf", b"stbl"):
            inner = _track(content, begin, stop, budget)
            handler, codec = handler or inner[0], codec or inner[1]
        elif kind == b"hdlr":
            handler = handler or content[begin + 8 : begin + 12]
        elif kind == b"stsd":
            count = struct.unpack_from(">I", content, begin + 4)[0]
            codec = content[begin + 12 : begin + 16] if count == 1 and stop - begin >= 16 else b"?"
    return handler, codec


def _boxes(content: bytes, start: int, end: int, budget: list[int]) -> Iterator[tuple[bytes, int, int]]:
    at = start
    while at < end:
        budget[0] -= 1
        if budget[0] < 0:
            raise _Odd("it has too many pieces")
        size, kind = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", content, at + 8)[0], 16
        elif size == 0:
            size = end - at
        if size < head or at + size > end:
            raise _Odd("it ends in the middle")
        yield kind, at + head, at + size
        at += size


# -- WAV -----------------------------------------------------------------------------------------------

_WAV_CODECS: Final = {0x0001: "PCM", 0x0003: "float", 0x0006: "A-law", 0x0007: "mu-law", 0xFFFE: "extensible"}
_WAV_CHUNKS: Final = {b"fmt ", b"data", b"fact", b"LIST", b"JUNK", b"bext", b"PAD "}


def _wav(content: bytes) -> str:
    if struct.unpack_from("<I", content, 4)[0] + 8 != len(content):
        raise _Odd("its length is not the one that it states")
    at, seen = 12, dict[bytes, int]()
    for _ in range(MOST_PIECES):
        if at >= len(content):
            break
        kind, size = struct.unpack_from("<4sI", content, at)
        if kind not in _WAV_CHUNKS or at + 8 + size > len(content):
            raise _Odd("something stands in it that is no WAV")
        if kind == b"fmt " and struct.unpack_from("<H", content, at + 8)[0] not in _WAV_CODECS:
            raise _Odd("it is a WAV by an unknown codec")
        seen[kind] = size
        at += 8 + size + size % 2
    if at < len(content) or not {b"fmt ", b"data"} <= seen.keys() or not seen[b"data"]:
        raise _Odd("it holds no sound")
    return WAV
