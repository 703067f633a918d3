"""The table `intake_counts`: messages by the way they came, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridsvc.db import Conn, Nothing, Statement

_COUNT = Statement(
    Nothing,
    """
    INSERT INTO intake_counts AS c (way, outcome, messages)
    SELECT $1::text, outcome, messages
      FROM unnest($2::text[], $3::bigint[]) AS u (outcome, messages)
     ORDER BY outcome
        ON CONFLICT (way, outcome) DO UPDATE SET messages = c.messages + excluded.messages
    """,
)


async def count(conn: Conn, way: str, outcomes: Mapping[str, int]) -> None:
    """Add to the counts of one way (mqtt, sip)."""
    if outcomes:
        await _COUNT.run(conn, way, list(outcomes), list(outcomes.values()))


@dataclass(frozen=True)
class Counted:
    """How many messages came one way and ended so."""

    way: str
    outcome: str
    messages: int


COUNTED = Statement(Counted, "SELECT way, outcome, messages FROM intake_counts ORDER BY way, outcome")
