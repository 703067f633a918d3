"""A signed request that comes a second time is known again: by its sender's id, within the commit that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.store import signed_requests
from gridsvc.store.signed_requests import Signed

REPEATED: Final = "webhook_id"
"""Why an event is a duplicate: its request came before."""


class Twice(Enum):
    """How a request is known already."""

    SAME = "same"  # by id and body: a retry, or a copy that somebody sends again
    OTHER = "other"  # the id was another body's


async def known_again(conn: Conn, asked: Sequence[Signed | None], now: datetime) -> list[Twice | None]:
    """For each of these requests whether it came before; None for what is new, and what is not signed.

    The new ones are remembered, in the caller's transaction. Of two with one id in `asked` the first is the new one.
    """
    first: dict[tuple[UUID, str], Signed] = {}
    for each in asked:
        if each is not None:
            first.setdefault((each.key_id, each.webhook_id), each)
    if not first:
        return [None] * len(asked)
    known = await signed_requests.claim(conn, list(first.values()), now)
    before = first | {(each.key_id, each.webhook_id): each for each in known}
    return [None if each is None else _twice(each, before[each.key_id, each.webhook_id]) for each in asked]


def _twice(each: Signed, before: Signed) -> Twice | None:
    if before is each:
        return None
    return Twice.SAME if before.fingerprint == each.fingerprint else Twice.OTHER
