"""Small files of OpenStreetMap for tests: the same nodes and ways as XML and as PBF."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import quoteattr


@dataclass(frozen=True)
class Way:
    """A way through places (lon, lat); closed where the last is the first."""

    places: Sequence[tuple[float, float]]
    tags: Mapping[str, str]


def osm_xml(ways: Sequence[Way]) -> bytes:
    """An .osm file."""
    ids = _ids(ways)
    nodes = [f'<node id="{n}" version="1" lon="{lon}" lat="{lat}"/>' for (lon, lat), n in ids.items()]
    lines = []
    for number, way in enumerate(ways, start=1):
        refs = "".join(f'<nd ref="{ids[place]}"/>' for place in way.places)
        tags = "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in way.tags.items())
        lines.append(f'<way id="{number}" version="1">{refs}{tags}</way>')
    text = '<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">' + "".join(nodes + lines) + "</osm>"
    return text.encode()


def osm_pbf(ways: Sequence[Way]) -> bytes:
    """An .osm.pbf file (wiki.openstreetmap.org/wiki/PBF_Format): a header, then one block of nodes and ways."""
    header = _field(4, b"OsmSchema-V0.6")
    ids = _ids(ways)
    words = [b"", *dict.fromkeys(word.encode() for way in ways for pair in way.tags.items() for word in pair)]
    nodes = b"".join(
        _field(1, _field(1, _zigzag(n)) + _field(8, _zigzag(round(lat * 1e7))) + _field(9, _zigzag(round(lon * 1e7))))
        for (lon, lat), n in ids.items()
    )
    lines = b"".join(_field(3, _way(number, way, ids, words)) for number, way in enumerate(ways, start=1))
    strings = b"".join(_field(1, word) for word in words)
    return _blob(b"OSMHeader", header) + _blob(b"OSMData", _field(1, strings) + _field(2, nodes) + _field(2, lines))


def _ids(ways: Sequence[Way]) -> dict[tuple[float, float], int]:
    return {place: n for n, place in enumerate(dict.fromkeys(p for way in ways for p in way.places), start=1)}


def _way(number: int, way: Way, ids: Mapping[tuple[float, float], int], words: list[bytes]) -> bytes:
    refs = [ids[place] for place in way.places]
    steps = [refs[0], *(after - before for before, after in pairwise(refs))]
    return (
        _field(1, number)
        + _field(2, _packed(words.index(key.encode()) for key in way.tags))
        + _field(3, _packed(words.index(value.encode()) for value in way.tags.values()))
        + _field(8, _packed(_zigzag(step) for step in steps))
    )


def _blob(kind: bytes, content: bytes) -> bytes:
    blob = _field(2, len(content)) + _field(3, zlib.compress(content))
    head = _field(1, kind) + _field(3, len(blob))
    return len(head).to_bytes(4, "big") + head + blob


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _packed(values: Iterable[int]) -> bytes:
    return b"".join(map(_varint, values))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1
