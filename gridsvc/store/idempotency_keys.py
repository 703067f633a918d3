"""What was answered under which Idempotency-Key, kept by the transaction that made the answer true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One write that wants to happen once: by whom, under which key, and what it says."""

    caller: str
    key: str
    fingerprint: bytes  # sha256 of method, path and the parsed body


@dataclass(frozen=True)
class Fresh:
    """Nobody did this yet: do it, then `remember` its answer before the commit."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """It was done: this is what was answered. `body` is JSON text."""

    status: int
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Conflict:
    """The key was used for something else."""


@dataclass(frozen=True)
class Twin:
    """The same write as the claim at index `of` in the same batch: it gets that one's answer."""

    of: int


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer to remember: `body` is JSON text."""

    caller: str
    key: str
    status: int
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class _Row:
    caller: str
    key: str
    fingerprint: bytes
    status: int | None
    body: str | None
    headers: str | None


CLAIM = Statement(
    _Row,
    """
    INSERT INTO idempotency_keys AS k (caller, key, fingerprint, created_at)
    SELECT caller, key, fingerprint, $4::timestamptz
      FROM unnest($1::text[], $2::text[], $3::bytea[]) AS c (caller, key, fingerprint)
     ORDER BY caller, key   -- every batch takes its locks in the same order
        ON CONFLICT (caller, key)
        -- Changes nothing. Unlike DO NOTHING it waits for the other's commit and returns what he wrote.
        DO UPDATE SET created_at = k.created_at
    RETURNING caller, key, fingerprint, status, (answer -> 'body')::text AS body, (answer -> 'headers')::text AS headers
    """,
)

REMEMBER = Statement(
    Nothing,
    """
    UPDATE idempotency_keys k
       SET status = a.status,
           answer = jsonb_build_object('body', a.body::jsonb, 'headers', a.headers::jsonb)
      FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[])
             AS a (caller, key, status, body, headers)
     WHERE k.caller = a.caller AND k.key = a.key
    """,
)

FORGET = Statement(
    Nothing,
    """
    DELETE FROM idempotency_keys k
     USING unnest($1::text[], $2::text[]) AS f (caller, key)
     WHERE k.caller = f.caller AND k.key = f.key AND k.status IS NULL
    """,
)


async def claim_many(conn: Conn, claims: Sequence[Claim], now: datetime) -> list[Fresh | Stored | Conflict | Twin]:
    """Claim every key in one round trip; the outcomes are in the order of `claims`.

    Waits for other transactions that hold one of the keys; they have then either answered (Stored)
    or gone (Fresh). Fresh claims stand in the caller's transaction: each must be remembered, or
    forgotten if it was refused, before the commit.
    """
    firsts: dict[tuple[str, str], int] = {}
    for index, claim in enumerate(claims):
        firsts.setdefault((claim.caller, claim.key), index)
    first = [claims[index] for index in firsts.values()]
    rows = await CLAIM.all(conn, [c.caller for c in first], [c.key for c in first], [c.fingerprint for c in first], now)
    found = {(row.caller, row.key): row for row in rows}
    return [
        _outcome(claim, found[claim.caller, claim.key], index, firsts[claim.caller, claim.key])
        for index, claim in enumerate(claims)
    ]


def _outcome(claim: Claim, row: _Row, index: int, first: int) -> Fresh | Stored | Conflict | Twin:
    if row.fingerprint != claim.fingerprint:
        return Conflict()
    if row.status is not None:
        headers = msgspec.json.decode(row.headers or "{}", type=dict[str, str])
        return Stored(status=row.status, body=row.body or "null", headers=headers)
    return Fresh() if index == first else Twin(first)


async def remember_many(conn: Conn, answers: Sequence[Answered]) -> None:
    """Keep what was answered, in one round trip, beside the effect that it speaks of."""
    await REMEMBER.run(
        conn,
        [answer.caller for answer in answers],
        [answer.key for answer in answers],
        [answer.status for answer in answers],
        [answer.body for answer in answers],
        [msgspec.json.encode(answer.headers).decode() for answer in answers],
    )


async def forget_many(conn: Conn, claims: Sequence[Claim]) -> None:
    """Give back claims of this transaction whose write was refused: nothing was written under them."""
    await FORGET.run(conn, [claim.caller for claim in claims], [claim.key for claim in claims])


async def once(conn: Conn, claim: Claim, now: datetime) -> Fresh | Stored | Conflict:
    """claim_many for one."""
    (outcome,) = await claim_many(conn, [claim], now)
    assert not isinstance(outcome, Twin)  # noqa: S101 - one claim has no twin
    return outcome
