"""The table `absences`: when officers are away whatever their shifts say (请假), and who entered it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True, kw_only=True)
class AbsenceRow:
    """One absence. Cancelled: it is over, or was never begun."""

    id: UUID
    officer_id: UUID
    from_at: datetime
    until_at: datetime
    reason: str
    entered_by: str
    entered_at: datetime
    cancelled_by: str | None = None
    cancelled_at: datetime | None = None


_ADD = Statement(
    Nothing,
    """
    INSERT INTO absences (id, officer_id, from_at, until_at, reason, entered_by, entered_at)
    VALUES ($1::uuid, $2::uuid, $3::timestamptz, $4::timestamptz, $5::text, $6::text, $7::timestamptz)
    """,
)

_CANCEL = Statement(
    Nothing,
    """
    UPDATE absences
       SET cancelled_by = $2::text, cancelled_at = $3::timestamptz
     WHERE id = $1::uuid
       AND cancelled_at IS NULL
    """,
)

_COLUMNS = "id, officer_id, from_at, until_at, reason, entered_by, entered_at, cancelled_by, cancelled_at"

ONE = Statement(
    AbsenceRow,
    f"""
    SELECT {_COLUMNS}
      FROM absences
     WHERE id = $1::uuid
       FOR UPDATE
    """,  # noqa: S608 - a constant of ours
)

OF_OFFICER = Statement(
    AbsenceRow,
    f"""
    SELECT {_COLUMNS}
      FROM absences
     WHERE officer_id = $1::uuid
       AND until_at > $2::timestamptz
     ORDER BY from_at, id
    """,  # noqa: S608 - a constant of ours
)

OVERLAPPING = Statement(
    AbsenceRow,
    f"""
    SELECT {_COLUMNS}
      FROM absences
     WHERE officer_id = $1::uuid
       AND cancelled_at IS NULL
       AND from_at < $3::timestamptz
       AND until_at > $2::timestamptz
     ORDER BY from_at, id
     LIMIT 1
    """,  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class _Officer:
    officer_id: UUID


# As weakly as an update does: an assignment that names the officer need not wait.
_HOLD = Statement(
    _Officer, "SELECT user_id AS officer_id FROM officers WHERE user_id = $1::uuid FOR NO KEY UPDATE"
)


@dataclass(frozen=True)
class OnDuty:
    """An officer who is absent and whose switch is on."""

    officer_id: UUID
    switched_at: datetime | None


ON_DUTY = Statement(
    OnDuty,
    """
    SELECT o.user_id AS officer_id, o.duty_changed_at AS switched_at
      FROM officers o
     WHERE o.on_duty
       AND EXISTS (SELECT FROM absences a
                    WHERE a.officer_id = o.user_id AND a.cancelled_at IS NULL
                      AND a.from_at <= $1::timestamptz AND a.until_at > $1::timestamptz)
     ORDER BY o.user_id
    """,
)


async def hold(conn: Conn, officer_id: UUID) -> bool:
    """Hold the officer until the transaction ends: of two absences entered at once the second sees the first."""
    return await _HOLD.one(conn, officer_id) is not None


async def add(conn: Conn, row: AbsenceRow) -> None:
    """Keep a new absence; no other may overlap it."""
    await _ADD.run(
        conn, row.id, row.officer_id, row.from_at, row.until_at, row.reason, row.entered_by, row.entered_at
    )  # fmt: skip


async def cancel(conn: Conn, absence_id: UUID, by: str, now: datetime) -> None:
    """It holds no more, from `now` on."""
    await _CANCEL.run(conn, absence_id, by, now)


async def overlapping(conn: Conn, officer_id: UUID, from_at: datetime, until_at: datetime) -> AbsenceRow | None:
    """An absence of the officer that overlaps this span; None where there is none. Ends and beginnings may meet."""
    return await OVERLAPPING.one(conn, officer_id, from_at, until_at)


async def of_officer(conn: Conn, officer_id: UUID, now: datetime) -> Sequence[AbsenceRow]:
    """Absences of the officer that are not over, cancelled ones too, by their beginning."""
    return await OF_OFFICER.all(conn, officer_id, now)
