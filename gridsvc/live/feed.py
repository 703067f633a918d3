"""The live feed of one web process: it reads the log by number and gives each watcher what is his.

Every process does this by itself, and helps to number what was committed (gridsvc/store/live.py): no broker
is between the database and the watchers, so its absence changes nothing here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import DATABASE_AWAY, SERVICE, Conn, ConnPool, transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.live import Interest, Told, View, told, watch_keys
from gridsvc.live.delta import Delta, Frame, heartbeat_frame, position_frame
from gridsvc.live.ring import Bounds, Ring
from gridsvc.live.seat import Seat
from gridsvc.live.signed_out import end_signed_out
from gridsvc.outlive import outlive
from gridsvc.settings import LiveSettings
from gridsvc.store import live
from gridsvc.store.live import LogRow, WatcherRow
from gridsvc.together import Together

log = logging.getLogger(__name__)

CHECK_S: Final = 10.0  # how soon after its end a session's socket is closed
PRUNE_S: Final = 15.0
RETRY_S: Final = 1.0  # after a look that failed
AWAY_S: Final = 3.0  # a look that takes longer has failed: the heartbeats say how old the last one is
NUMBERED_AT_ONCE: Final = 500
READ_AT_ONCE: Final = 500
GIVEN_AT_ONCE: Final = 50  # about 50 kB, as much as a seat gives its writer in one go
JOINED_TOGETHER: Final = 256  # watchers whose grants are read in one go
JOIN_PACE_S: Final = 0.05  # after a proxy's restart everybody comes at once


@dataclass
class Counts:
    """What has been done since the process began."""

    deliveries: int = 0
    joined: int = 0
    recovered: int = 0
    resyncs: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Arrival:
    """A watcher who wants in, and from where on."""

    seat: Seat
    interest: Interest
    epoch: str | None
    seq: int | None


class Feed:
    """Every watcher of this process. `run` must run while anybody is seated.

    `forget` is told of users whose grants have changed, so that whoever keeps those in memory looks again.
    """

    def __init__(
        self,
        pool: ConnPool,
        settings: LiveSettings,
        forget: Callable[[UUID], None] = lambda _: None,
        *,
        check_s: float = CHECK_S,
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._forget = forget
        self._check_s = check_s
        self._views: dict[View, set[Seat]] = {}
        self._scopes_read = 0  # grows with each change of grants that was met
        self._closing = False
        self._looked: float | None = None  # monotonic seconds of the last good look
        self._pruned = float("-inf")
        self._join = Together(self._let_in, JOINED_TOGETHER, JOIN_PACE_S)
        self.ring = Ring(Bounds(deltas=settings.ring_deltas, size=settings.ring_bytes, seconds=settings.ring_seconds))
        self.epoch = ""
        self.at: datetime | None = None
        self.counts = Counts()
        self.started = asyncio.Event()

    # -- watchers ------------------------------------------------------------------------------

    @property
    def watchers(self) -> int:
        """How many are seated."""
        return sum(len(seats) for seats in self._views.values())

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be sent to all of them together."""
        return sum(seat.waiting_bytes for seat in self._all())

    @property
    def age_s(self) -> float:
        """How long ago the database was last looked at; without end before the first time."""
        return float("inf") if self._looked is None else time.monotonic() - self._looked

    def seat(self, user_id: UUID, session_id: UUID, token_ends: float | None) -> Seat:
        """A seat that sees nothing yet."""
        return Seat(user_id, session_id, token_ends, View(frozenset()), self._settings.buffer_bytes)

    @asynccontextmanager
    async def taken(self, seat: Seat, interest: Interest, epoch: str | None, seq: int | None) -> AsyncIterator[None]:
        """While this lasts `seat` is given what is its watcher's: first its position, then what came after `seq`.

        What he may see is read anew, together with whoever comes at the same time. Raises what a database that is
        away raises.
        """
        async with asyncio.timeout(AWAY_S):
            await self.started.wait()
        try:
            await self._join(_Arrival(seat, interest, epoch, seq))
            yield
        finally:
            self._leave(seat)

    def subscribe(self, seat: Seat, interest: Interest) -> None:
        """From here on `seat` is told what lies in these areas. Its new position says whether it must load more."""
        narrower = interest.within(seat.view.interest)
        self._sit(seat, View(seat.view.keys, interest))
        seat.give(self._position(self.ring.head, recovered=narrower))

    def dismiss(self) -> None:
        """End every seat: the process stops."""
        self._closing = True
        for seat in self._all():
            seat.end("going_away")

    def _all(self) -> list[Seat]:
        return [seat for seats in self._views.values() for seat in seats]

    async def _let_in(self, arrivals: Sequence[_Arrival]) -> None:
        """Read what each may see, and seat them without a gap between that and what they hear from here on."""
        users = {each.seat.user_id for each in arrivals}
        met = -1
        while met != self._scopes_read:  # at first, and when somebody's grants changed while they were read
            met = self._scopes_read
            keys = await self._keys_of(users)
        for each in arrivals:
            seat = each.seat
            if seat.user_id not in keys:
                seat.end("signed_out")
                continue
            self._sit(seat, View(keys[seat.user_id], each.interest))
            self.counts.joined += 1
            missed = self._missed(seat, each.epoch, each.seq)
            if missed is None:
                seat.give(self._position(self.ring.head, recovered=False))
                continue
            self.counts.recovered += 1
            assert each.seq is not None  # noqa: S101 - or nothing could be missed
            seat.give(self._position(each.seq, recovered=True))
            for frame in missed:
                seat.give(frame)
        if self._closing:
            self.dismiss()

    def _missed(self, seat: Seat, epoch: str | None, seq: int | None) -> list[Frame] | None:
        """All that the watcher of `seat` has missed since `seq`; None unless that is all there, and worth sending."""
        if seq is None or epoch != self.epoch:
            return None
        since = self.ring.since(seq)
        if since is None or any(each.kind == "scope" and each.ref == str(seat.user_id) for each in since):
            return None
        missed: dict[tuple[str, str] | int, Frame] = {}
        for each in since:
            frame = _frame_for(seat.view, each)
            if frame is not None:
                missed.pop(frame.replaces or each.seq, None)
                missed[frame.replaces or each.seq] = frame
        too_much = sum(len(frame.text) for frame in missed.values()) > self._settings.buffer_bytes // 2
        return None if too_much else list(missed.values())

    def _position(self, seq: int, *, recovered: bool) -> Frame:
        assert self.at is not None  # noqa: S101 - nobody is seated before the first look
        return position_frame(self.epoch, seq, self.at, recovered=recovered)

    def _sit(self, seat: Seat, view: View) -> None:
        self._leave(seat)
        seat.view = view
        self._views.setdefault(view, set()).add(seat)

    def _leave(self, seat: Seat) -> None:
        seats = self._views.get(seat.view)
        if seats is not None:
            seats.discard(seat)
            if not seats:
                del self._views[seat.view]

    async def _keys_of(self, users: Collection[UUID]) -> dict[UUID, frozenset[str]]:
        async with transaction(self._pool, SERVICE) as (conn, _):
            rows = await live.grants_of(conn, list(users))
        return {row.user_id: watch_keys(_caller(row)) for row in rows}

    # -- the log -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the log, beat, and look for ended sessions, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(), name="live feed")
            group.create_task(self._beat(), name="live heartbeats")
            group.create_task(self._check(), name="sessions of watchers")

    async def _follow(self) -> None:
        while True:
            began = time.monotonic()
            try:
                more = await self.look()
            except Exception as fault:
                outlive(fault)
                _say(fault)
                await asyncio.sleep(RETRY_S)
                continue
            if not more:
                await asyncio.sleep(max(0.0, began + self._settings.poll_ms / 1000 - time.monotonic()))

    async def look(self) -> bool:
        """Number what waits for it, read what is new, and give it out; whether there is more to be had at once."""
        async with asyncio.timeout(AWAY_S):
            position = await self._numbered()
            async with self._pool.acquire() as conn:
                rows = await self._news(conn, position)
                if time.monotonic() - self._pruned > PRUNE_S:
                    self._pruned = time.monotonic()
                    await live.prune(conn, position.seq, position.at)
            await self._heard(position, rows)
        return self.ring.head < position.seq

    async def _numbered(self) -> live.Position:
        """How far the feed is, after what was committed has its numbers."""
        async with self._pool.acquire() as conn:
            position = await live.position(conn)
        if not position.pending:
            return position
        async with transaction(self._pool, SERVICE) as (conn, now):
            await live.number(conn, now, NUMBERED_AT_ONCE)
        async with self._pool.acquire() as conn:
            return await live.position(conn)

    async def _news(self, conn: Conn, position: live.Position) -> list[LogRow]:
        """What comes after the ring's head; in another epoch the last of the log, as much as the ring holds."""
        if position.epoch == self.epoch:
            if position.seq <= self.ring.head:
                return []
            return await live.AFTER.all(conn, self.ring.head, position.seq, READ_AT_ONCE)
        rows: list[LogRow] = []
        after = position.seq - self._settings.ring_deltas
        while page := await live.AFTER.all(conn, after, position.seq, READ_AT_ONCE):
            rows += page
            after = page[-1].seq
        return rows

    async def _heard(self, position: live.Position, rows: Sequence[LogRow]) -> None:
        """Give out what was read. Another epoch, or a gap, and everybody starts over."""
        deltas = [Delta(row) for row in rows]
        if position.epoch != self.epoch:
            self._begin(position, deltas)
        elif position.seq > self.ring.head and (not deltas or deltas[0].seq != self.ring.head + 1):
            # It stood still for longer than the log is kept.
            self._begin(position, [])
        else:
            await self._mind_scopes(deltas)
            for at in range(0, len(deltas), GIVEN_AT_ONCE):
                page = deltas[at : at + GIVEN_AT_ONCE]
                now = time.monotonic()
                for delta in page:
                    self.ring.add(delta, now)
                self._give_out(page)
                await asyncio.sleep(0)  # much at once makes nobody slow who takes it
        self.at, self._looked = position.at, time.monotonic()
        self.ring.forget_old(self._looked)
        self.started.set()

    def _begin(self, position: live.Position, deltas: Sequence[Delta]) -> None:
        """Begin with the end of the log; nobody's numbers count any more."""
        reason = "slow" if position.epoch == self.epoch else "epoch"
        self.epoch, self.at = position.epoch, position.at
        self.ring.begin(deltas[0].seq - 1 if deltas else position.seq)
        now = time.monotonic()
        for delta in deltas:
            self.ring.add(delta, now)
        for seat in self._all():
            self._start_over(seat, reason)
        log.info("the live feed begins", extra={"action": "live_begun", "rows": len(self.ring)})

    def _start_over(self, seat: Seat, reason: str) -> None:
        self.counts.resyncs[reason] += 1
        seat.start_over(reason, self._position(self.ring.head, recovered=False))

    def _give_out(self, deltas: Sequence[Delta]) -> None:
        """Put each delta before whoever may see it: decided once for all who see the same."""
        for view, seats in list(self._views.items()):
            frames = [frame for delta in deltas if (frame := _frame_for(view, delta)) is not None]
            for seat in seats if frames else ():
                for frame in frames:
                    if not seat.give(frame):
                        self._fell_behind(seat)
                self.counts.deliveries += len(frames)

    def _fell_behind(self, seat: Seat) -> None:
        self.counts.resyncs["slow"] += 1
        log.info("a watcher is slow", extra={"action": "live_resync", "session_id": str(seat.session_id)})

    async def _mind_scopes(self, deltas: Sequence[Delta]) -> None:
        """Let changed grants and ended sessions count before anything that comes with them is given out."""
        changed = {UUID(each.ref) for each in deltas if each.kind == "scope"}
        ended = {UUID(each.ref) for each in deltas if each.kind == "session"}
        for seat in self._all():
            if seat.session_id in ended:
                seat.end("signed_out")
        if not changed:
            return
        self._scopes_read += 1
        for user in changed:
            self._forget(user)
        seated = {seat.user_id for seat in self._all()} & changed
        if not seated:
            return
        keys = await self._keys_of(seated)
        for seat in self._all():
            if seat.user_id not in seated:
                continue
            if seat.user_id not in keys:
                seat.end("signed_out")
            elif keys[seat.user_id] != seat.view.keys:
                self._sit(seat, View(keys[seat.user_id], seat.view.interest))
                self._start_over(seat, "scope")

    # -- heartbeats and sessions ---------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat_s)
            if self.at is not None:
                frame = heartbeat_frame(self.ring.head, self.at, self.age_s)
                for seat in self._all():
                    if not seat.give(frame):
                        self._fell_behind(seat)

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(self._check_s)
            try:
                await end_signed_out(self._pool, self._all())
            except Exception as fault:
                outlive(fault)
                _say(fault)


def _frame_for(view: View, delta: Delta) -> Frame | None:
    match told(view, delta.keys, delta.areas, delta.was_keys, delta.was_areas):
        case Told.AS_IT_IS:
            return delta.frame
        case Told.GONE:
            return delta.gone
        case Told.NOTHING:
            return None


def _caller(row: WatcherRow) -> Caller:
    grants = tuple(
        Grant(role=Role(role), division=division, department=department, duty_line=duty_line)
        for role, division, department, duty_line in zip(
            row.roles, row.divisions, row.departments, row.duty_lines, strict=True
        )
    )
    return Caller(id=f"user:{row.user_id}", grants=grants, user_id=row.user_id)


def _say(fault: Exception) -> None:
    away = isinstance(fault, (*DATABASE_AWAY, TimeoutError)) and not isinstance(fault, ValueError)
    action = "database_lost" if away else "round_failed"
    log.warning("the live feed could not look", extra={"action": action}, exc_info=not away)
