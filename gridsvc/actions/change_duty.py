"""Put an officer on or off duty."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from events.catalog import OfficerDutyChanged
from gridsvc.db import Conn
from gridsvc.errors import Unknown
from gridsvc.store import outbox, users


async def change_duty(conn: Conn, officer_id: UUID, on_duty: bool, event_id: UUID, now: datetime) -> users.Duty:
    """Set whether the officer is on duty and leave word of it in the outbox.

    The state that he has already is no change: nothing is announced and the time stays.
    Raises Unknown when the user is no officer.
    """
    changed = await users.DUTY.run(conn, officer_id, on_duty, now)
    if changed:
        news = OfficerDutyChanged(event_id=event_id, at=now, officer_id=officer_id, on_duty=on_duty)
        await outbox.append(conn, [news], now)
    duty = await users.DUTY_OF.one(conn, officer_id)
    if duty is None:
        raise Unknown("you are no officer: there is no duty to change")
    return duty
