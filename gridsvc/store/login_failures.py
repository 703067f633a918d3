"""Sign-ins that failed lately, counted by name and by address; each attempt counts until it has succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class Full:
    """A subject that has used up its tries; `counted_at` is the one that must grow old first."""

    subject: str
    counted_at: datetime


@dataclass(frozen=True)
class _Locked:
    locked: int


LOCK = Statement(
    _Locked,
    """
    SELECT count(pg_advisory_xact_lock(hashtextextended(subject, 0)))::integer AS locked
      FROM (SELECT subject FROM unnest($1::text[]) AS s (subject) ORDER BY subject) AS sorted
    """,
)

FULL = Statement(
    Full,
    """
    SELECT s.subject, f.at AS counted_at
      FROM unnest($1::text[], $2::integer[]) AS s (subject, most)
           CROSS JOIN LATERAL (
             SELECT at
               FROM login_failures
              WHERE subject = s.subject AND at > $3::timestamptz
              ORDER BY at DESC
             OFFSET s.most - 1
              LIMIT 1) AS f
    """,
)

ADD = Statement(
    Nothing,
    """
    INSERT INTO login_failures (subject, at)
    SELECT subject, $2::timestamptz
      FROM unnest($1::text[]) AS s (subject)
    """,
)

FORGET_ALL = Statement(Nothing, "DELETE FROM login_failures WHERE subject = $1::text")

FORGET_ONE = Statement(Nothing, "DELETE FROM login_failures WHERE subject = $1::text AND at = $2::timestamptz")


async def full(conn: Conn, most: dict[str, int], since: datetime) -> Sequence[Full]:
    """Those of the subjects in `most` that have failed as often as allowed since then.

    Holds a lock on each subject until the commit: counting and adding is one step, whoever else knocks.
    """
    subjects = sorted(most)
    await LOCK.one(conn, subjects)
    return await FULL.all(conn, subjects, [most[subject] for subject in subjects], since)
