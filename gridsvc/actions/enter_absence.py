"""An officer is away for a while (请假): entered, and from its beginning on he gets no work and has none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.actions.change_duty import go_off_duty
from gridsvc.actions.hand_over_work import hand_over_work
from gridsvc.db import Conn, act_as_service
from gridsvc.errors import AbsenceOverlaps, BadRequest, Unknown
from gridsvc.ids import new_id
from gridsvc.store import absences
from gridsvc.store.absences import AbsenceRow

LATE_AT_MOST: Final = timedelta(minutes=5)
"""How long ago an absence may have begun that is entered now: clocks differ, and typing takes a while."""

LONGEST: Final = timedelta(days=366)

_EVERYTHING: Final = 1_000_000  # cases of one officer


async def enter_absence(
    conn: Conn, officer_id: UUID, from_at: datetime | None, until_at: datetime, reason: str, by: str, now: datetime
) -> AbsenceRow:
    """Keep the absence; one that has begun takes him off duty and hands over his open cases at once.

    `from_at` None: from now on. Raises BadRequest for a span that is none, lies in the past or is longer than a
    year, AbsenceOverlaps, and Unknown for no officer. The caller has asked whether `by` may.
    """
    began = now if from_at is None or now - LATE_AT_MOST <= from_at <= now else from_at
    _check_span(began, until_at, now)
    if not await absences.hold(conn, officer_id):
        raise Unknown(f"no officer {officer_id}", officer=str(officer_id))
    other = await absences.overlapping(conn, officer_id, began, until_at)
    if other is not None:
        raise AbsenceOverlaps(
            f"the officer is absent from {other.from_at.isoformat()} to {other.until_at.isoformat()} already; "
            "want a span beside it, or cancel that one first",
            absence=str(other.id), from_at=other.from_at.isoformat(), until_at=other.until_at.isoformat(),
        )  # fmt: skip
    row = AbsenceRow(
        id=new_id(), officer_id=officer_id, from_at=began, until_at=until_at, reason=reason, entered_by=by,
        entered_at=now,
    )  # fmt: skip
    await absences.add(conn, row)
    if began <= now:
        await act_as_service(conn)
        await go_off_duty(conn, officer_id, now)
        await hand_over_work(conn, now, _EVERYTHING, [officer_id])
    return row


def _check_span(from_at: datetime, until_at: datetime, now: datetime) -> None:
    if from_at < now:
        raise BadRequest(
            f"the absence began more than 5 minutes ago; want one from now on ({now.isoformat()})",
            field="from", given=from_at.isoformat(), wanted="now, or later",
        )  # fmt: skip
    if until_at <= from_at:
        raise BadRequest(
            "the absence ends before it begins", field="until", given=until_at.isoformat(),
            wanted=f"later than {from_at.isoformat()}",
        )  # fmt: skip
    if until_at - from_at > LONGEST:
        raise BadRequest(
            "the absence is longer than a year", field="until", given=until_at.isoformat(),
            wanted=f"at most {(from_at + LONGEST).isoformat()}",
        )  # fmt: skip
