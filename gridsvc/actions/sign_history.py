"""Fold each finished day's history into one hash and sign it, so that the past cannot be rewritten whole."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gridsvc.db import Conn
from gridsvc.domain.history import fold
from gridsvc.signing import Signer
from gridsvc.store import history
from gridsvc.store.rulebook import rulebook


async def sign_days(conn: Conn, signer: Signer, now: datetime) -> list[date]:
    """Sign every finished day of the city's zone that has history and no head yet; which ones.

    Twice, or by two workers at once, does no harm: both compute the same. A day is finished at its
    midnight, and nothing is appended to it afterwards, since `at` is the database's clock.
    """
    zone = (await rulebook(conn)).zone
    today = now.astimezone(zone).date()
    unsigned = await history.UNSIGNED.one(conn, zone.key, datetime.combine(today, time(), zone))
    if unsigned is None or unsigned.first is None or unsigned.last is None:
        return []
    signed = []
    for day in _days(unsigned.first, unsigned.last):
        rows, digest = await digest_of(conn, day, zone)
        if rows:
            message = head_message(day, rows, digest)
            await history.ADD_HEAD.run(conn, day, rows, digest, signer.sign(message), now)
            signed.append(day)
    return signed


async def digest_of(conn: Conn, day: date, zone: ZoneInfo) -> tuple[int, bytes]:
    """How many rows one day has, and the fold of their last hashes."""
    start, end = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    heads = await history.HEADS_OF_DAY.all(conn, start, end)
    return sum(head.rows for head in heads), fold((head.case_id, head.hash) for head in heads)


def head_message(day: date, rows: int, digest: bytes) -> bytes:
    """What is signed: the day, how many rows it has, and their fold."""
    return f"gridsvc history {day.isoformat()} {rows} ".encode() + digest


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
