"""Say once of each calendar and year that nobody has published it: now, and from 1 November on for the next year."""

from __future__ import annotations

from datetime import datetime

from events.catalog import CalendarYearMissing
from gridsvc.db import Conn
from gridsvc.domain.calendar_edition import missing_years
from gridsvc.ids import new_id
from gridsvc.store import calendars, outbox
from gridsvc.store.rulebook import rulebook


async def miss_calendars(conn: Conn, now: datetime) -> int:
    """Announce each calendar and year that is missing and was never announced; how many. As the service."""
    book = await rulebook(conn)
    today = now.astimezone(book.zone).date()
    missing = [(code, year) for code, each in book.calendars.items() for year in missing_years(each.years, today)]
    first = await calendars.raise_alarms(conn, missing, now)
    news = [CalendarYearMissing(event_id=new_id(), at=now, calendar=code, year=year) for code, year in first]
    await outbox.append(conn, news, now)
    return len(news)
