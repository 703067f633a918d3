"""Which state of the map this is: tiles that are kept are today's as long as this is the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gridsvc.db import Conn, Statement

CASES_SECONDS: Final = 30
"""How old a tile of cases may be: open ones come by the live feed, tiles show what was."""


@dataclass(frozen=True)
class MapEdition:
    """The grid set in force and when its shapes were made, the revision of ground and register, and the cases' turn.

    `grid_set_id` is None where no set is in force, `prepared` where its shapes are not made yet.
    """

    grid_set_id: int | None
    prepared: int | None
    revision: int
    cases: int


_EDITION: Final = Statement(
    MapEdition,
    """
    SELECT s.id AS grid_set_id, extract(epoch FROM m.prepared_at)::bigint AS prepared, p.revision,
           (extract(epoch FROM $1::timestamptz)::bigint / $2::integer)::bigint AS cases
      FROM place_names p
      LEFT JOIN grid_sets s ON s.id = grid_set_at($1::timestamptz)
      LEFT JOIN map_sets m ON m.grid_set_id = s.id
    """,
)


async def map_edition(conn: Conn, now: datetime) -> MapEdition:
    """The state of the map at `now`; one round trip."""
    found = await _EDITION.one(conn, now, CASES_SECONDS)
    assert found is not None  # noqa: S101 - place_names has one row by its own constraint
    return found


@dataclass(frozen=True)
class _Attribution:
    attribution: str


_ATTRIBUTIONS: Final = Statement(
    _Attribution, "SELECT DISTINCT attribution FROM basemap_editions WHERE attribution <> '' ORDER BY attribution"
)


async def attributions(conn: Conn) -> list[str]:
    """Whom the base map comes from, each once."""
    return [row.attribution for row in await _ATTRIBUTIONS.all(conn)]
