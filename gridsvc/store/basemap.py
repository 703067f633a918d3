"""The ground that the map shows beneath the data: roads, water, buildings, in editions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import shapely

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store.grids import Told, untold


@dataclass(frozen=True)
class Feature:
    """One thing on the ground. `layer` is roads, water or buildings; `kind` its class (docs/basemap.md)."""

    layer: str
    name: str
    kind: str
    height_m: float | None
    levels: int | None
    outline: shapely.Geometry


_KEEP_EDITION: Final = Statement(
    Nothing,
    """
    INSERT INTO basemap_editions (edition, attribution, imported_at)
    VALUES ($1::text, $2::text, $3::timestamptz)
        ON CONFLICT (edition) DO UPDATE
       SET attribution = excluded.attribution, imported_at = excluded.imported_at
    """,
)

_CLEAR: Final = Statement(Nothing, "DELETE FROM basemap_features WHERE edition = $1::text")

_AT_ONCE: Final = 10_000  # rows in one COPY, so that progress can be told


async def replace(
    conn: Conn, edition: str, attribution: str, features: Sequence[Feature], now: datetime, told: Told = untold
) -> int:
    """Let `features` be all that an edition holds; return how many it held before."""
    await _KEEP_EDITION.run(conn, edition, attribution, now)
    before = await _CLEAR.run(conn, edition)
    for start in range(0, len(features), _AT_ONCE):
        part = features[start : start + _AT_ONCE]
        await conn.copy_records_to_table(
            "basemap_features",
            records=[(edition, f.layer, f.name, f.kind, f.height_m, f.levels, f.outline) for f in part],
            columns=["edition", "layer", "name", "kind", "height_m", "levels", "outline"],
        )
        told("write features", start + len(part), len(features))
    return before


@dataclass(frozen=True)
class Edition:
    """An edition and what it holds."""

    edition: str
    attribution: str
    imported_at: datetime
    roads: int
    water: int
    buildings: int


EDITIONS: Final = Statement(
    Edition,
    """
    SELECT e.edition, e.attribution, e.imported_at,
           (count(*) FILTER (WHERE f.layer = 'roads'))::integer AS roads,
           (count(*) FILTER (WHERE f.layer = 'water'))::integer AS water,
           (count(*) FILTER (WHERE f.layer = 'buildings'))::integer AS buildings
      FROM basemap_editions e
      LEFT JOIN basemap_features f ON f.edition = e.edition
     GROUP BY e.edition, e.attribution, e.imported_at
     ORDER BY e.edition
    """,
)

_REMOVE: Final = Statement(Nothing, "DELETE FROM basemap_editions WHERE edition = $1::text")


async def remove(conn: Conn, edition: str) -> bool:
    """Take an edition off the map; False where there is none of that name."""
    return await _REMOVE.run(conn, edition) > 0
