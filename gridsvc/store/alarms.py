"""What asks for a person at once, and who has said that he has seen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.alarm import Alarm
from gridsvc.store.rows import rows_text

# A case that rings already goes on ringing, and says what is the matter now.
_RAISE = Statement(
    Nothing,
    """
    INSERT INTO alarms (id, kind, case_id, severity, says, says_en, raised_at)
    SELECT id, kind, case_id, severity, says, says_en, $2::timestamptz
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, kind text, case_id uuid, severity text, says text, says_en text)
     ORDER BY case_id
        ON CONFLICT (case_id, kind) WHERE acknowledged_at IS NULL DO UPDATE
       SET severity = excluded.severity, says = excluded.says, says_en = excluded.says_en
    """,
)

_RAISE_STORMS = Statement(
    Nothing,
    """
    INSERT INTO alarms (id, kind, camera, severity, says, says_en, raised_at)
    SELECT r.id, r.kind, r.camera, r.severity, r.says, r.says_en, $2::timestamptz
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, kind text, camera text, severity text, says text, says_en text)
     WHERE NOT EXISTS (SELECT FROM alarms a WHERE a.camera = r.camera AND a.raised_at > $3::timestamptz)
     ORDER BY r.camera
    """,
)


async def raise_all(conn: Conn, alarms: Mapping[UUID, Alarm], now: datetime) -> None:
    """Raise alarms of cases (id -> alarm); of two of one kind about one case the later holds.

    Whoever raises them holds the cases.
    """
    wanted = {(alarm.case_id, alarm.kind): {"id": alarm_id, **vars(alarm)} for alarm_id, alarm in alarms.items()}
    if wanted:
        await _RAISE.run(conn, rows_text(wanted.values()), now)


async def raise_storms(conn: Conn, alarms: Mapping[UUID, Alarm], now: datetime, again_after: timedelta) -> None:
    """Raise alarms of cameras (id -> alarm), each unless its camera had one within `again_after`."""
    if alarms:
        rows = rows_text({"id": alarm_id, **vars(alarm)} for alarm_id, alarm in alarms.items())
        await _RAISE_STORMS.run(conn, rows, now, now - again_after)


@dataclass(frozen=True)
class AlarmRow:
    """One alarm; `seen_by` is who acknowledged it, by name."""

    id: UUID
    kind: str
    case_id: UUID | None
    camera: str | None
    severity: str
    says: str
    says_en: str
    raised_at: datetime
    acknowledged_by: UUID | None
    acknowledged_name: str | None
    acknowledged_at: datetime | None


_COLUMNS: Final = """
    SELECT a.id, a.kind, a.case_id, a.camera, a.severity, a.says, a.says_en, a.raised_at, a.acknowledged_by,
           u.display_name AS acknowledged_name, a.acknowledged_at
      FROM alarms a
           LEFT JOIN users u ON u.id = a.acknowledged_by
"""

LIST = Statement(
    AlarmRow,
    f"""
{_COLUMNS}     WHERE ($1::boolean IS NULL OR (a.acknowledged_at IS NOT NULL) = $1::boolean)
       AND ($2::timestamptz IS NULL OR (a.raised_at, a.id) < ($2::timestamptz, $3::uuid))
       AND ($5::text IS NULL OR a.kind = $5::text)
     ORDER BY a.raised_at DESC, a.id DESC
     LIMIT $4::integer
    """,
)

READ = Statement(
    AlarmRow,
    f"""
{_COLUMNS}     WHERE a.id = $1::uuid
    """,
)

ACKNOWLEDGE = Statement(
    Nothing,
    """
    UPDATE alarms
       SET acknowledged_by = $2::uuid, acknowledged_at = $3::timestamptz
     WHERE id = $1::uuid
       AND acknowledged_at IS NULL
    """,
)

OLD = Statement(
    Nothing,
    """
    DELETE FROM alarms
     WHERE id IN (SELECT id FROM alarms WHERE acknowledged_at < $1::timestamptz LIMIT $2::integer)
    """,
)
