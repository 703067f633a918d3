"""A small city in a database of the test's own, and the stories told on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from events.catalog import Announcement, CaseNews
from events.codec import decode
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.escalate_case import fire_due_rungs
from gridsvc.actions.file_report import Taken, file_reports
from gridsvc.actions.move_case import move_case
from gridsvc.actions.verify_city import broken_chains, broken_invariants
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.domain.captured import Claimed
from gridsvc.domain.case_state import Actor, AtVersion, Expected, Move, Particulars
from gridsvc.domain.report import Report
from gridsvc.store import cases
from gridsvc.store.cases import CaseRow
from gridsvc.store.numbers import NumberBlocks
from tests.integration.small_city import SmallCity, found_small_city

_ROUTED = {
    "case.filed", "case.waiting", "case.unacknowledged", "case.reopened", "case.corrected", "case.relieved",
}  # fmt: skip


@dataclass(frozen=True)
class Town:
    """The small city and the stories, each in a transaction of its own as the edges run them."""

    city: SmallCity
    pool: ConnPool
    numbers: NumberBlocks

    async def file(self, *reports: Report) -> list[Any]:
        async with transaction(self.pool) as (conn, now):
            return list(await file_reports(conn, reports, self.numbers, now))

    async def filed(self, report: Report) -> CaseRow:
        [taken] = await self.file(report)
        assert isinstance(taken, Taken), taken
        return taken.case

    async def route(self, case_id: UUID) -> CaseRow:
        """Let routing hear the newest news about the case that is for it."""
        for news in reversed(await self.told(case_id)):
            if news.TYPE in _ROUTED:
                async with transaction(self.pool) as (conn, now):
                    await assign_cases(conn, [news], now)
                return await self.case(case_id)
        raise AssertionError("nothing was told to routing")

    async def move(
        self, by: Caller, case: CaseRow, move: Move, expected: Expected | None = None, claimed: Claimed | None = None,
        **said: Any,
    ) -> CaseRow:  # fmt: skip
        async with transaction(self.pool, scope_keys(by)) as (conn, now):
            return await move_case(
                conn, case.id, move, Actor(by), Particulars(**said), expected or AtVersion(case.version),
                self.numbers, now, claimed,
            )  # fmt: skip

    async def sweep(self, limit: int = 100) -> int:
        async with transaction(self.pool) as (conn, now):
            return await fire_due_rungs(conn, now, limit)

    async def case(self, case_id: UUID) -> CaseRow:
        async with transaction(self.pool) as (conn, _):
            row = await cases.lock(conn, case_id)
        assert row is not None
        return row

    async def told(self, case_id: UUID) -> list[CaseNews]:
        """Everything announced about the case so far, in order."""
        async with transaction(self.pool) as (conn, _):
            bodies = await conn.fetch("SELECT body FROM outbox WHERE case_id = $1 ORDER BY seq", case_id)
        heard: list[Announcement] = [decode(row["body"]) for row in bodies]
        return [news for news in heard if isinstance(news, CaseNews)]

    async def rows(self, sql: str, *args: object) -> list[dict[str, Any]]:
        async with transaction(self.pool) as (conn, _):
            return [dict(row) for row in await conn.fetch(sql, *args)]

    async def now(self) -> datetime:
        async with transaction(self.pool) as (_, now):
            return now

    async def ledger(self) -> tuple[dict[str, list[str]], list[Any]]:
        """What is broken, by the same questions as `gridsvc verify`."""
        async with transaction(self.pool, snapshot=True) as (conn, _):
            return await broken_invariants(conn), list(await broken_chains(conn))


@pytest.fixture
async def town(database: str) -> AsyncIterator[Town]:
    """A fresh small city; when the test ends, its ledger must balance and its chains must hold."""
    async with open_pool(database, scope=SERVICE, size=12, name="town") as pool, open_pool(database, size=2) as numbers:
        async with transaction(pool) as (conn, _):
            city = await found_small_city(conn)
        opened = Town(city, pool, NumberBlocks(numbers))
        yield opened
        assert await opened.ledger() == ({}, [])
