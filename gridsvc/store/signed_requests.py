"""The table `signed_requests`: the ids of signed requests, so that a copy of one is known again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class Signed:
    """A signed request: whose secret signed it, the sender's id of it, and the SHA-256 of its body."""

    key_id: UUID
    webhook_id: str
    fingerprint: bytes


# In one order, so that two commits that bring the same ids never wait for each other in a ring.
_CLAIM = Statement(
    Signed,
    """
    INSERT INTO signed_requests (key_id, webhook_id, fingerprint, received_at)
    SELECT key_id, webhook_id, fingerprint, $4::timestamptz
      FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS u (key_id, webhook_id, fingerprint)
     ORDER BY key_id, webhook_id
        ON CONFLICT DO NOTHING
    RETURNING key_id, webhook_id, fingerprint
    """,
)

_KNOWN = Statement(
    Signed,
    """
    SELECT key_id, webhook_id, fingerprint
      FROM signed_requests
     WHERE (key_id, webhook_id) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
    """,
)


async def claim(conn: Conn, signed: Sequence[Signed], now: datetime) -> list[Signed]:
    """Keep those that are new, and return those that were known, as they were first kept. Each id once in `signed`.

    Whoever brings the same id at the same time waits for this transaction.
    """
    keys, ids = [each.key_id for each in signed], [each.webhook_id for each in signed]
    new = await _CLAIM.all(conn, keys, ids, [each.fingerprint for each in signed], now)
    if len(new) == len(signed):
        return []
    fresh = {(each.key_id, each.webhook_id) for each in new}
    return [each for each in await _KNOWN.all(conn, keys, ids) if (each.key_id, each.webhook_id) not in fresh]


OLD = Statement(
    Nothing,
    """
    DELETE FROM signed_requests
     WHERE (key_id, webhook_id) IN (SELECT key_id, webhook_id FROM signed_requests
                                     WHERE received_at < $1::timestamptz LIMIT $2::integer)
    """,
)
