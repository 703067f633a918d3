"""Rows on their way into a set-based INSERT: one JSON text, unfolded by json_to_recordset.

One parameter for any number of rows; PostgreSQL turns JSON arrays into text[] and hexadecimal EWKB
into geometry by the column definitions that stand in the statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import shapely

from geo.place import Place

_ENCODER = msgspec.json.Encoder()


def rows_text(rows: Iterable[Mapping[str, object]]) -> str:
    """The JSON text of `rows`; times, ids and enums as text."""
    return _ENCODER.encode(list(rows)).decode()


def bytea_text(value: bytes) -> str:
    """Bytes as PostgreSQL reads them from text."""
    return "\\x" + value.hex()


def point_text(place: Place | None) -> str | None:
    """A place as hexadecimal EWKB with SRID 4326, or None."""
    if place is None:
        return None
    return str(shapely.to_wkb(shapely.set_srid(shapely.Point(place.lon, place.lat), 4326), hex=True, include_srid=True))
