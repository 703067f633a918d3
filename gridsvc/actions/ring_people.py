"""Keep notices so that they ring as the rules say: at once, gathered into a digest, or after quiet hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.notice import GATHERED, Way, grown, quiet_until, rings_again, ways
from gridsvc.ids import new_id
from gridsvc.store import digests, listeners, notices
from gridsvc.store.digests import Digest
from gridsvc.store.listeners import Listening
from gridsvc.store.notices import Message

_ALWAYS_RINGS: Final = "emergency"


@dataclass
class _Sorted:
    """What rings as it is, and what goes into a digest of a person (and whether that waits)."""

    ring: list[tuple[Message, dict[UUID, UUID]]] = field(default_factory=list)
    gather: dict[tuple[UUID, bool], list[tuple[Message, UUID]]] = field(default_factory=lambda: defaultdict(list))


async def ring_people(conn: Conn, told: Sequence[tuple[Message, Mapping[UUID, UUID]]], now: datetime) -> None:
    """Keep each message for its hearers (user -> id of the notice), in the caller's transaction.

    The same message twice to the same person is kept once, whether it stands alone or in a digest. One question
    for the whole batch, and none where all of it is urgent; what has to be gathered asks a few more.
    """
    questionable = {user for message, people in told if not _always_rings(message) for user in people}
    there = None
    if questionable:
        counted = any(message.kind in GATHERED for message, _ in told)
        there = await listeners.listening(conn, questionable, now, counted=counted)
    if there is None:
        await notices.keep_all(conn, told, now)
        return
    sort = _sorted(told, there, now)
    if sort.gather:  # two steps name cases: all are held first, in the order in which everybody holds them
        await notices.hold_cases(conn, [message.case_id for message, _ in told if message.case_id is not None])
    await notices.keep_all(conn, sort.ring, now)
    if sort.gather:
        await _gather(conn, sort.gather, there, now)


def _always_rings(message: Message) -> bool:
    return bool(message.body.get("urgent")) or message.body.get("severity") == _ALWAYS_RINGS


def _sorted(told: Sequence[tuple[Message, Mapping[UUID, UUID]]], there: Listening, now: datetime) -> _Sorted:
    sort = _Sorted()
    alone: dict[int, dict[UUID, UUID]] = defaultdict(dict)
    for user in sorted({user for _, people in told for user in people}):
        his = [(at, message, people[user]) for at, (message, people) in enumerate(told) if user in people]
        listener = there.people.get(user)
        way_of = [Way.RING] * len(his)
        if listener is not None:
            way_of = ways([(m.kind, m.body) for _, m, _ in his], listener, there.rules, there.zone, now)
        for (at, message, notice_id), way in zip(his, way_of, strict=True):
            if way is Way.RING:
                alone[at][user] = notice_id
            else:
                sort.gather[user, way is Way.HOLD].append((message, notice_id))
    sort.ring = [(told[at][0], people) for at, people in sorted(alone.items())]
    return sort


async def _gather(
    conn: Conn, gather: Mapping[tuple[UUID, bool], Sequence[tuple[Message, UUID]]], there: Listening, now: datetime
) -> None:
    users = {user for user, _ in gather}
    await digests.lock_people(conn, users)
    known = await digests.open_digests(conn, users)
    ends = {user: quiet_until(there.people[user], there.zone, now) for user in users}
    new = {
        key: Digest(id=new_id(), user_id=key[0], waits=key[1], body={}, grown_at=now)
        for key in sorted(gather)
        if key not in known
    }
    into = {key: known.get(key) or new[key] for key in gather}
    await digests.add(
        conn,
        [{"id": d.id, "user_id": d.user_id, "held_until": ends[d.user_id] if d.waits else None} for d in new.values()],
        now,
    )
    kept = await digests.put(
        conn,
        [
            {**vars(message), "id": notice_id, "user_id": user, "digest_id": into[user, waits].id, "told": not waits}
            for (user, waits), his in gather.items()
            for message, notice_id in his
        ],
        now,
    )
    items: dict[UUID, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for each in kept:
        items[each.digest_id].append((each.kind, each.body))
    changed = [digest for digest in into.values() if digest.id in items]
    await digests.remove_empty(conn, [digest.id for digest in new.values() if digest.id not in items])
    await digests.grow(conn, [_grown(digest, items[digest.id], ends, there, now) for digest in changed], now)
    await notices.hint(conn, sorted({digest.user_id for digest in changed if not digest.waits}))


def _grown(
    digest: Digest, items: Sequence[tuple[str, Mapping[str, Any]]], ends: Mapping[UUID, datetime | None],
    there: Listening, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    rings = not digest.waits and (not digest.body or rings_again(digest.grown_at, there.rules, now))
    return {
        "id": digest.id,
        "body": grown(digest.body, items, rings=rings),
        "held_until": ends[digest.user_id] if digest.waits else None,
        "rings": rings,
    }
