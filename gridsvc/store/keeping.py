"""How long rows are kept that only guard against repeats, and their removal in small batches."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store import alarms, camera_quarantine, positions, signed_requests, stays

INBOX_DAYS: Final = 30  # longer than any redelivery or replay of a dead letter
IDEMPOTENCY_DAYS: Final = 30
LOGIN_FAILURE_DAYS: Final = 1  # throttling looks back a quarter of an hour
NOTICE_DAYS: Final = 30  # after the acknowledgement; one that nobody acknowledged stays
SIGNED_DAYS: Final = 1  # a signature is good for ten minutes at most, from its moment both ways
TRAIL_DAYS: Final = 30  # where officers have been: long enough for a complaint, and no longer
ALARM_DAYS: Final = 90  # after somebody has seen it
QUARANTINE_DAYS: Final = 90  # of camera messages that could not be read: until their reader is mended

INBOX = Statement(
    Nothing,
    """
    DELETE FROM inbox
     WHERE (queue, event_id) IN (SELECT queue, event_id FROM inbox
                                  WHERE heard_at < $1::timestamptz ORDER BY heard_at LIMIT $2::integer)
    """,
)

IDEMPOTENCY_KEYS = Statement(
    Nothing,
    """
    DELETE FROM idempotency_keys
     WHERE (caller, key) IN (SELECT caller, key FROM idempotency_keys
                              WHERE created_at < $1::timestamptz ORDER BY created_at LIMIT $2::integer)
    """,
)

LOGIN_FAILURES = Statement(
    Nothing,
    """
    DELETE FROM login_failures
     WHERE ctid = ANY (ARRAY(SELECT ctid FROM login_failures WHERE at < $1::timestamptz LIMIT $2::integer))
    """,
)

NOTICES = Statement(
    Nothing,
    """
    DELETE FROM notices
     WHERE id IN (SELECT id FROM notices WHERE acknowledged_at < $1::timestamptz LIMIT $2::integer)
    """,
)

_KEPT: Final = (
    (INBOX, INBOX_DAYS),
    (IDEMPOTENCY_KEYS, IDEMPOTENCY_DAYS),
    (LOGIN_FAILURES, LOGIN_FAILURE_DAYS),
    (NOTICES, NOTICE_DAYS),
    (alarms.OLD, ALARM_DAYS),
    (positions.OLD_TRAILS, TRAIL_DAYS),
    (stays.OLD, TRAIL_DAYS),
    (positions.OLD_PLACES, TRAIL_DAYS),
    (positions.OLD_DUTY, TRAIL_DAYS),
    (camera_quarantine.OLD, QUARANTINE_DAYS),
    (signed_requests.OLD, SIGNED_DAYS),
)


async def remove_old(conn: Conn, now: datetime, limit: int) -> int:
    """Remove up to `limit` rows of each kind that are past their time; return how many went."""
    removed = 0
    for statement, days in _KEPT:
        removed += await statement.run(conn, now - timedelta(days=days), limit)
    return removed
