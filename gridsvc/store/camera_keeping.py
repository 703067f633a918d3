"""How long counts, incidents, sightings and meters of cameras are kept, and their removal (`camera_rules`)."""

from __future__ import annotations

from datetime import datetime

from gridsvc.db import Conn, Nothing, Statement

# Whole hours, and none of which an event is there still: an hour balances as long as anything of it is known.
COUNTS = Statement(
    Nothing,
    """
    WITH border AS MATERIALIZED (
      SELECT least($1::timestamptz - r.keep_counts_days * interval '1 day',
                   coalesce((SELECT min(e.received_at) FROM camera_events e), 'infinity'),
                   (SELECT min(c.hour) FROM camera_counts c) + interval '2 days') AS at
        FROM camera_rules r
    )
    DELETE FROM camera_counts c
     USING border
     WHERE c.hour < date_trunc('hour', border.at, 'UTC')
    """,
)

# What led to a case stays as long as the counts do; an event that is undecided keeps its incident.
INCIDENTS = Statement(
    Nothing,
    """
    DELETE FROM camera_incidents
     WHERE id = ANY (ARRAY(SELECT i.id
                             FROM camera_incidents i
                            CROSS JOIN camera_rules r
                            WHERE i.over_at < $1::timestamptz - r.keep_days * interval '1 day'
                              AND (i.case_id IS NULL
                                   OR i.over_at < $1::timestamptz - r.keep_counts_days * interval '1 day')
                              AND NOT EXISTS (SELECT
                                                FROM camera_events e
                                               WHERE e.incident_id = i.id
                                                 AND e.outcome IS NULL)
                            ORDER BY i.over_at
                            LIMIT $2::integer
                              FOR UPDATE OF i SKIP LOCKED))
    """,
)

SIGHTINGS = Statement(
    Nothing,
    """
    DELETE FROM camera_sightings
     WHERE ctid = ANY (ARRAY(SELECT s.ctid
                               FROM camera_sightings s
                              CROSS JOIN camera_rules r
                              WHERE s.heard_at < $1::timestamptz - r.keep_days * interval '1 day'
                              LIMIT $2::integer
                                FOR UPDATE OF s SKIP LOCKED))
    """,
)

# A camera that was silent for so long has a full bucket, which is what one has that was never heard.
METERS = Statement(
    Nothing,
    """
    DELETE FROM camera_meters
     WHERE ctid = ANY (ARRAY(SELECT m.ctid
                               FROM camera_meters m
                              CROSS JOIN camera_rules r
                              WHERE m.heard_at < $1::timestamptz - r.keep_days * interval '1 day'
                              LIMIT $2::integer
                                FOR UPDATE OF m SKIP LOCKED))
    """,
)


async def remove_old(conn: Conn, now: datetime, limit: int) -> int:
    """Remove what is past its time, at most `limit` rows of each kind, and two days of counts; how many rows.

    The ledger goes on to balance: what is left of an hour is left of it on both sides.
    """
    removed = await COUNTS.run(conn, now)
    for statement in (INCIDENTS, SIGHTINGS, METERS):
        removed += await statement.run(conn, now, limit)
    return removed
