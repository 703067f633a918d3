"""Take off duty the officers whose shift is over."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from events.catalog import OfficerDutyChanged
from gridsvc.db import Conn
from gridsvc.domain.shift import duty_has_ended
from gridsvc.ids import new_id
from gridsvc.store import outbox, people


async def end_shifts(conn: Conn, now: datetime) -> list[OfficerDutyChanged]:
    """Switch off every officer whose last shift ended a while ago, and leave word of each in the outbox.

    The rule is gridsvc/domain/shift.py: nobody without a roster, nobody who switched on after that end.
    Twice, or by two sweepers at once, does no harm. For the sweeper, once a minute, as SERVICE.
    """
    zone = ZoneInfo(await people.city_zone(conn))
    over = [
        officer
        for officer in await people.on_duty(conn)
        if duty_has_ended(officer.shifts, officer.switched_at, now, zone)
    ]
    news = [
        OfficerDutyChanged(event_id=new_id(), at=now, officer_id=officer_id, on_duty=False)
        for officer_id in await people.end_duty(conn, over, now)
    ]
    await outbox.append(conn, news, now)
    return news
