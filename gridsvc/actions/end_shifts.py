"""Take off duty the officers whose shift is over or whose absence has begun."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from events.catalog import OfficerDutyChanged
from gridsvc.db import Conn
from gridsvc.domain.shift import duty_has_ended
from gridsvc.ids import new_id
from gridsvc.store import absences, outbox, people
from gridsvc.store.people import OnDuty


async def end_shifts(conn: Conn, now: datetime) -> list[OfficerDutyChanged]:
    """Switch off every officer whose last shift ended a while ago, or who is absent, and leave word of each.

    The rule is gridsvc/domain/shift.py: nobody without a roster, nobody who switched on after that end. Who is
    absent is switched off whatever his roster says.
    Twice, or by two sweepers at once, does no harm. For the sweeper, once a minute, as SERVICE.
    """
    zone = ZoneInfo(await people.city_zone(conn))
    over = [
        officer
        for officer in await people.on_duty(conn)
        if duty_has_ended(officer.shifts, officer.switched_at, now, zone)
    ]
    away = [
        OnDuty(officer_id=each.officer_id, switched_at=each.switched_at, shifts=())
        for each in await absences.ON_DUTY.all(conn, now)
        if each.officer_id not in {officer.officer_id for officer in over}
    ]
    news = [
        OfficerDutyChanged(event_id=new_id(), at=now, officer_id=officer_id, on_duty=False)
        for officer_id in await people.end_duty(conn, [*over, *away], now)
    ]
    await outbox.append(conn, news, now)
    return news
