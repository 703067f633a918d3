"""What the chain hashes is what the database gives back: jsonb changes spelling and order, never a fact."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.history import ROOT, Entry, breaks, chained

ROUNDS = 2_000
LETTERS = "abz \"\\/\n\t{}[]:,'é井盖😀\u2028\u007f"


async def test_any_facts_hash_the_same_before_and_after_the_database(conn: Conn) -> None:
    """Numbers below 10^15: jsonb writes larger floats without an exponent, and they come back as integers."""
    dice = random.Random(20261123)
    rows = [_row({_word(dice): _value(dice, 3) for _ in range(dice.randrange(4))}) for _ in range(ROUNDS)]
    back = await conn.fetch(
        "SELECT f FROM unnest($1::text[]) WITH ORDINALITY AS t (x, n), LATERAL (SELECT x::jsonb AS f) AS g ORDER BY n",
        [json.dumps(row.facts, ensure_ascii=False) for row in rows],
    )
    wrong = [
        (row.facts, kept["f"])
        for row, kept in zip(rows, back, strict=True)
        if breaks([replace(row, facts=kept["f"])], 1, row.hash)
    ]
    assert wrong == []


def _row(facts: dict[str, Any]) -> Entry:
    return chained(
        Entry(
            case_id=UUID(int=7),
            version=1,
            move="note",
            from_state=None,
            to_state="filed",
            actor="worker:router",
            at=datetime(2026, 11, 23, tzinfo=UTC),
            facts=facts,
            before=ROOT,
        )
    )


def _value(dice: random.Random, depth: int) -> Any:
    kind = dice.randrange(10 if depth else 8)
    if kind < 2:
        return _word(dice)
    if kind < 5:
        return dice.choice([0.0, 0.1, 1.0, 12.5, 1e-7, 123456789.123, dice.uniform(-1e15, 1e15), dice.gauss(0, 1)])
    if kind < 7:
        return dice.randrange(-(10**15), 10**15)
    if kind == 7:
        return dice.choice([None, True, False])
    if kind == 8:
        return [_value(dice, depth - 1) for _ in range(dice.randrange(4))]
    return {_word(dice): _value(dice, depth - 1) for _ in range(dice.randrange(4))}


def _word(dice: random.Random) -> str:
    return "".join(dice.choices(LETTERS, k=dice.randrange(8)))
