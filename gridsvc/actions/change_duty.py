"""Put an officer on or off duty."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from events.catalog import OfficerDutyChanged
from gridsvc.db import Conn
from gridsvc.errors import GuardFailed, Unknown
from gridsvc.ids import new_id
from gridsvc.store import absences, outbox, users


async def change_duty(conn: Conn, officer_id: UUID, on_duty: bool, event_id: UUID, now: datetime) -> users.Duty:
    """Set whether the officer is on duty and leave word of it in the outbox.

    The state that he has already is no change: nothing is announced and the time stays.
    Raises Unknown when the user is no officer, GuardFailed when he goes on duty while he is absent.
    """
    if on_duty:
        await _check_not_absent(conn, officer_id, now)
    changed = await users.DUTY.run(conn, officer_id, on_duty, now)
    if changed:
        news = OfficerDutyChanged(event_id=event_id, at=now, officer_id=officer_id, on_duty=on_duty)
        await outbox.append(conn, [news], now)
    duty = await users.DUTY_OF.one(conn, officer_id)
    if duty is None:
        raise Unknown("you are no officer: there is no duty to change")
    return duty


async def go_off_duty(conn: Conn, officer_id: UUID, now: datetime) -> None:
    """Switch an officer off who is on duty, and leave word of it in the outbox; one who is off stays as he is."""
    if await users.DUTY.run(conn, officer_id, False, now):
        news = OfficerDutyChanged(event_id=new_id(), at=now, officer_id=officer_id, on_duty=False)
        await outbox.append(conn, [news], now)


async def _check_not_absent(conn: Conn, officer_id: UUID, now: datetime) -> None:
    for absence in await absences.of_officer(conn, officer_id, now):
        if absence.cancelled_at is None and absence.from_at <= now:
            raise GuardFailed(
                f"you are absent until {absence.until_at.isoformat()}; ask the desk to cancel that first",
                guard="not_absent", absence=str(absence.id),
            )  # fmt: skip
