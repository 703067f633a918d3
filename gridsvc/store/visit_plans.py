"""The table `visit_plans`: who or what is visited how often, and when next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from geo.place import Place
from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.visit import Every, Rhythm, Unit
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """One plan. `next_on` None: it has ended. `fault`: the code why no case could be opened; empty: none."""

    id: UUID
    edition: str
    category: str
    subject: str
    lon: float
    lat: float
    divisions: list[str]
    seen_by: list[str]
    every_count: int
    every_unit: str
    first_on: date
    working_days: bool
    next_on: date | None
    fault: str = ""

    def rhythm(self) -> Rhythm:
        """When its visits are."""
        return Rhythm(self.first_on, Every(self.every_count, Unit(self.every_unit)), self.working_days)

    def place(self) -> Place:
        """Where they are made."""
        return Place(self.lon, self.lat)


_COLUMNS = """p.id, p.edition, p.category, p.subject, ST_X(p.place) AS lon, ST_Y(p.place) AS lat, p.divisions,
           p.seen_by, p.every_count, p.every_unit, p.first_on, p.working_days, p.next_on, p.fault"""

# What is planned for one that is planned already stays its next day unless its rhythm is another.
_PUT = Statement(
    Nothing,
    """
    INSERT INTO visit_plans AS p (
           id, edition, category, subject, place, divisions, seen_by, every_count, every_unit, first_on, working_days,
           next_on, fault, entered_by, entered_at)
    SELECT id, edition, category, subject, ST_SetSRID(ST_MakePoint(lon, lat), 4326), divisions, seen_by, every_count,
           every_unit, first_on, working_days, next_on, '', $2::text, $3::timestamptz
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, edition text, category text, subject text, lon float8, lat float8, divisions text[], seen_by text[],
           every_count integer, every_unit text, first_on date, working_days boolean, next_on date)
     ORDER BY edition, category, subject
        ON CONFLICT (edition, category, subject) DO UPDATE
       SET place = excluded.place, divisions = excluded.divisions, seen_by = excluded.seen_by,
           every_count = excluded.every_count, every_unit = excluded.every_unit, first_on = excluded.first_on,
           working_days = excluded.working_days, fault = '', entered_by = excluded.entered_by,
           entered_at = excluded.entered_at,
           next_on = CASE WHEN excluded.next_on IS NOT NULL AND p.next_on IS NOT NULL
                               AND (p.every_count, p.every_unit, p.first_on, p.working_days)
                                 = (excluded.every_count, excluded.every_unit, excluded.first_on, excluded.working_days)
                          THEN p.next_on ELSE excluded.next_on END
    """,
)

# An open visit is chased until it has ended: a second one beside it would be noise.
LOCK_DUE = Statement(
    PlanRow,
    f"""
    SELECT {_COLUMNS}
      FROM visit_plans p
     WHERE p.next_on <= $1::date
       AND p.fault = ''
       AND NOT EXISTS (SELECT FROM visits v
                         JOIN cases c ON c.id = v.case_id
                        WHERE v.plan_id = p.id
                          AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged'))
     ORDER BY p.next_on, p.id
     LIMIT $2::integer
       FOR UPDATE OF p SKIP LOCKED
    """,  # noqa: S608 - a constant of ours
)

LOCK = Statement(
    PlanRow,
    f"""
    SELECT {_COLUMNS}
      FROM visit_plans p
     WHERE p.id = $1::uuid
       FOR UPDATE OF p
    """,  # noqa: S608 - a constant of ours
)

_GO_ON = Statement(
    Nothing,
    """
    UPDATE visit_plans p
       SET next_on = r.next_on, fault = r.fault
      FROM json_to_recordset($1::text::json) AS r (id uuid, next_on date, fault text)
     WHERE p.id = r.id
    """,
)

LISTED = Statement(
    PlanRow,
    f"""
    SELECT {_COLUMNS}
      FROM visit_plans p
     WHERE ($1::text IS NULL OR $1::text = ANY (p.divisions))
       AND ($2::boolean IS NULL OR (p.fault <> '') = $2::boolean)
       AND ($3::uuid IS NULL OR p.id > $3::uuid)
     ORDER BY p.id
     LIMIT $4::integer
    """,  # noqa: S608 - a constant of ours
)


async def put(conn: Conn, rows: Sequence[PlanRow], by: str, now: datetime) -> None:
    """Keep these plans; one of the same category and subject is replaced, and its next visit stays where it can."""
    await _PUT.run(conn, rows_text([vars(row) for row in rows]), by, now)


async def go_on(conn: Conn, changed: Mapping[UUID, tuple[date | None, str]]) -> None:
    """Set when each of these plans comes next (None: never), or why it cannot (a code)."""
    if changed:
        rows = [{"id": plan, "next_on": day, "fault": fault} for plan, (day, fault) in changed.items()]
        await _GO_ON.run(conn, rows_text(rows))
