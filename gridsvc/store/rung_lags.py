"""The table `rung_lags`: how many rungs fired, and how late, added up since the city began."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from gridsvc.db import Conn, Nothing, Statement

BUCKETS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, float("inf"))
"""Upper borders, in seconds."""

# By session: whoever shared a row with another sweeper would wait for its commit, and with a hung one for ever.
_ADD = Statement(
    Nothing,
    """
    INSERT INTO rung_lags AS r (slot, most_seconds, fired, lag_seconds)
    SELECT pg_backend_pid(), most, fired, lag
      FROM unnest($1::float8[], $2::bigint[], $3::float8[]) AS n (most, fired, lag)
     ORDER BY most
        ON CONFLICT (slot, most_seconds)
        DO UPDATE SET fired = r.fired + excluded.fired, lag_seconds = r.lag_seconds + excluded.lag_seconds
    """,
)


@dataclass(frozen=True)
class Bucket:
    """How many rungs fired at most so late and later than the bucket below, and the sum of their seconds."""

    most_seconds: float
    fired: int
    lag_seconds: float


FIRED = Statement(
    Bucket,
    """
    SELECT most_seconds, sum(fired)::bigint AS fired, sum(lag_seconds) AS lag_seconds
      FROM rung_lags
     GROUP BY most_seconds
     ORDER BY most_seconds
    """,
)


async def add(conn: Conn, lags: Sequence[float]) -> None:
    """Count rungs that fired so many seconds late, in the caller's transaction."""
    found: dict[float, list[float]] = {}
    for lag in lags:
        found.setdefault(BUCKETS[bisect_left(BUCKETS, lag)], []).append(lag)
    if found:
        await _ADD.run(
            conn, list(found), [len(each) for each in found.values()], [sum(each) for each in found.values()]
        )


def cumulated(buckets: Sequence[Bucket]) -> list[tuple[str, float]]:
    """How many fired at most so late, for every border, as Prometheus names them."""
    counted = {each.most_seconds: each.fired for each in buckets}
    sums = accumulate(counted.get(border, 0) for border in BUCKETS)
    names = [*(str(border) for border in BUCKETS[:-1]), "+Inf"]
    return list(zip(names, map(float, sums), strict=True))
