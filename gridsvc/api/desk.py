"""The filing desk: reports that arrive together share one commit, and each gets its own answer.

A commit costs the same for one report as for sixty-four (one flush of the log), so whatever waits
when a slot is free goes into one transaction. A report that comes alone is filed at once; while many
come, a transaction begins every PACE_S at most, so that it carries several. Acknowledged always means
committed. One that is refused does not spoil the others; if the transaction itself
fails on data, its reports are filed one by one, so that only the cause is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import asyncpg
from aiohttp import web

from geo.place import Bounds
from gridsvc.actions.file_report import Taken, file_reports
from gridsvc.api.idempotency import Answer, first_time, kept_answer, key_reused, replayed
from gridsvc.api.parts import SETTINGS
from gridsvc.api.report_wire import filed_answer
from gridsvc.db import Conn, ConnPool, open_pool, transaction
from gridsvc.domain.report import Report
from gridsvc.errors import GridError
from gridsvc.outlive import told_to_end
from gridsvc.store import duplicates, idempotency_keys
from gridsvc.store.cases import CaseRow
from gridsvc.store.cells import bounds_at, division_names
from gridsvc.store.duplicates import Duplicate, Sought
from gridsvc.store.idempotency_keys import Answered, Claim, Conflict, Fresh, Stored, Twin
from gridsvc.store.numbers import NumberBlocks
from gridsvc.together import Pace

log = logging.getLogger(__name__)

MOST: Final = 64  # reports per commit; beyond it latency grows and throughput does not
SLOTS: Final = 2  # commits under way at once: while one waits for the disk the other is prepared
PACE_S: Final = 0.02
_BOUNDS_S: Final = 5.0  # how long the bounds of the grid in force are believed

Outcome = Answered | Stored | Exception


@dataclass(eq=False)
class _Waiting:
    claim: Claim
    report: Report
    keys: Sequence[str]  # scope keys of whoever reports: he hears of duplicates that he may see
    done: asyncio.Future[Outcome]


@dataclass(eq=False)
class FilingDesk:
    """Files reports for the web process; open it with `open_desk`."""

    pool: ConnPool
    numbers: NumberBlocks
    _queue: deque[_Waiting] = field(default_factory=deque)
    _come: asyncio.Event = field(default_factory=asyncio.Event)
    _door: asyncio.Lock = field(default_factory=asyncio.Lock)  # one slot at a time takes from the queue
    _pace: Pace = field(default_factory=lambda: Pace(PACE_S))
    _names: dict[int, dict[str, tuple[str, str]]] = field(default_factory=dict)
    _bounds: tuple[float, Bounds | None] = (float("-inf"), None)

    async def file(self, claim: Claim, report: Report, keys: Sequence[str]) -> web.Response:
        """File `report` once and answer; a repeat of the same claim gets the first one's answer.

        Raises what the report is refused with, KeyReused for a claim that stands for another report,
        and the database's own errors when it is away. A caller that goes away does not stop it.
        """
        waiting = _Waiting(claim, report, keys, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._come.set()
        if len(self._queue) >= MOST:
            self._pace.enough()
        outcome = await waiting.done
        if isinstance(outcome, Exception):
            raise outcome
        return replayed(outcome) if isinstance(outcome, Stored) else first_time(outcome)

    async def city_bounds(self) -> Bounds | None:
        """The bounds of the grid set in force, as of a few seconds ago; None where there is none."""
        read_at, bounds = self._bounds
        if monotonic() - read_at > _BOUNDS_S:
            async with transaction(self.pool) as (conn, now):
                found = await bounds_at(conn, now)
            bounds = found[1] if found else None
            self._bounds = (monotonic(), bounds)
        return bounds

    async def work(self) -> None:
        """Take what waits and file it, for ever; one slot."""
        while not told_to_end():
            async with self._door:
                await self._come.wait()
                if len(self._queue) >= MOST:
                    self._pace.enough()
                await self._pace.turn()
                batch = self._take()
            await self._file(batch)

    def _take(self) -> list[_Waiting]:
        batch = [self._queue.popleft() for _ in range(min(MOST, len(self._queue)))]
        if not self._queue:
            self._come.clear()
        return batch

    async def _file(self, batch: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._commit(batch)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            if len(batch) > 1:
                for each in batch:
                    await self._file([each])
                return
            outcomes = [error]
        except Exception as error:  # answered to each caller, whose middleware logs it or says 503
            outcomes = [error] * len(batch)
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if not waiting.done.done():  # its caller may have gone
                waiting.done.set_result(outcome)

    async def _commit(self, batch: Sequence[_Waiting]) -> list[Outcome]:
        async with transaction(self.pool) as (conn, now):
            claimed = await idempotency_keys.claim_many(conn, [each.claim for each in batch], now)
            fresh = [each for each, claim in zip(batch, claimed, strict=True) if isinstance(claim, Fresh)]
            filed = await file_reports(conn, [each.report for each in fresh], self.numbers, now) if fresh else []
            answers = await self._answers(conn, fresh, filed)
            await idempotency_keys.remember_many(conn, [a for a in answers if isinstance(a, Answered)])
            refused = [each.claim for each, a in zip(fresh, answers, strict=True) if isinstance(a, Exception)]
            if refused:
                await idempotency_keys.forget_many(conn, refused)
        by_claim = iter(answers)
        outcomes: list[Outcome] = []
        for each, claim in zip(batch, claimed, strict=True):
            if isinstance(claim, Conflict):
                outcomes.append(key_reused(each.claim))
            elif isinstance(claim, Twin):
                outcomes.append(outcomes[claim.of])
            else:
                outcomes.append(claim if isinstance(claim, Stored) else next(by_claim))
        return outcomes

    async def _answers(
        self, conn: Conn, fresh: Sequence[_Waiting], filed: Sequence[Taken | GridError]
    ) -> list[Answered | GridError]:
        kept = [(each, taken) for each, taken in zip(fresh, filed, strict=True) if isinstance(taken, Taken)]
        await self._learn_names(conn, [taken for _, taken in kept])
        alike = await duplicates.near(conn, [_sought(taken.case, each.keys) for each, taken in kept])
        answers = iter([self._answer(taken, found) for (_, taken), found in zip(kept, alike, strict=True)])
        return [
            taken if isinstance(taken, GridError) else kept_answer(each.claim, next(answers))
            for each, taken in zip(fresh, filed, strict=True)
        ]

    def _answer(self, taken: Taken, alike: Sequence[Duplicate]) -> Answer:
        names: Mapping[str, tuple[str, str]] = self._names.get(taken.case.grid_set_id or 0, {})
        told = filed_answer(taken, names, alike)
        return Answer(told, status=201, headers={"Location": f"/api/v1/cases/{taken.case.id}"})

    async def _learn_names(self, conn: Conn, taken: Sequence[Taken]) -> None:
        # A published set never changes, so what was read once holds for as long as the process lives.
        for grid_set in {each.case.grid_set_id for each in taken if each.case.grid_set_id is not None}:
            known = self._names.setdefault(grid_set, {})
            codes = {code for each in taken if each.case.grid_set_id == grid_set for code in each.case.divisions}
            if codes - known.keys():
                known |= await division_names(conn, grid_set, sorted(codes - known.keys()))


def _sought(case: CaseRow, keys: Sequence[str]) -> Sought:
    return Sought(
        case_id=case.id, edition=case.edition, category=case.category, lon=case.lon, lat=case.lat,
        reported_at=case.reported_at, keys=keys,
    )  # fmt: skip


@asynccontextmanager
async def open_desk(url: str) -> AsyncIterator[FilingDesk]:
    """Open the desk with connections of its own; when it closes, what was taken has been answered."""
    async with (
        # Left to itself PostgreSQL plans the search for the owners anew for every batch: 1.2 ms each time.
        open_pool(url, size=SLOTS + 1, name="gridsvc desk", plan_once=True, by_index=True) as pool,
        open_pool(url, size=2, name="gridsvc numbers") as numbers,
    ):
        desk = FilingDesk(pool, NumberBlocks(numbers))
        slots = [asyncio.create_task(desk.work(), name=f"filing slot {n}") for n in range(SLOTS)]
        try:
            yield desk
        finally:
            for slot in slots:
                slot.cancel()
            await asyncio.gather(*slots, return_exceptions=True)


DESK: Final = web.AppKey("desk", FilingDesk)


async def desk_while_serving(app: web.Application) -> AsyncIterator[None]:
    """Hold the desk open for as long as the application runs."""
    async with open_desk(app[SETTINGS].database.url) as desk:
        app[DESK] = desk
        yield
