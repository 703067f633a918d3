"""The replay of real requests: rows go through the HTTP API as reports, and what the service said is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from gridsvc.errors import SetupError, Unavailable
from gridsvc.local.replay_rows import Reading, Row, Unusable, in_pace
from gridsvc.local.service_client import Answer, ServiceClient, Who

_EXAMPLES: Final = 3  # of each reason that are kept with their line, so that a person can look them up


@dataclass
class Outcome:
    """What became of a file. Every row is in exactly one of `filed`, `known`, `skipped` and `refused`."""

    filed: int = 0
    known: int = 0  # sent before with the same key: the first answer came again, nothing new was made
    skipped: Counter[str] = field(default_factory=Counter)  # not sent, by reason
    refused: Counter[str] = field(default_factory=Counter)  # by the service's code
    examples: dict[str, list[str]] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)  # 'ambiguous' and 'nonexistent' local times, sent all the same
    judged: int = 0  # rows with coordinates that name their own area, the refused ones too
    agreed: int = 0
    apart: Counter[tuple[str, str]] = field(default_factory=Counter)  # (the row's area, ours) where they differ

    @property
    def rows(self) -> int:
        return self.filed + self.known + self.skipped.total() + self.refused.total()

    @property
    def agreement(self) -> float | None:
        """Share of judged rows whose area is ours, 0 to 1; None where no row named one."""
        return self.agreed / self.judged if self.judged else None

    def note(self, counter: Counter[str], reason: str, line: int, detail: str) -> None:
        counter[reason] += 1
        seen = self.examples.setdefault(reason, [])
        if len(seen) < _EXAMPLES:
            seen.append(f"line {line}: {detail}")


class Replay:
    """One run of one file. `told` hears after every row."""

    def __init__(self, client: ServiceClient, who: Who, reading: Reading, told: Callable[[Outcome], None]) -> None:
        self.outcome = Outcome()
        self._client = client
        self._who = who
        self._reading = reading
        self._told = told
        self._cells: dict[str, asyncio.Task[frozenset[str]]] = {}

    async def run(self, rows: Iterator[Row | Unusable], *, speed: float | None, at_once: int) -> Outcome:
        """Send the rows, `at_once` at a time; `speed` times as fast as they happened, or None as fast as it goes.

        A service that is away is waited for. Raises Unavailable when it stays away and SetupError when it
        does not let us in. What was acknowledged by then stays, and a second run of the file finds it known.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        slots = asyncio.Semaphore(at_once)
        try:
            async with asyncio.TaskGroup() as group:
                for due, row in in_pace(self._usable(rows), speed):
                    await asyncio.sleep(max(0.0, began + due.total_seconds() - loop.time()) if speed else 0)
                    await slots.acquire()
                    group.create_task(self._send(row)).add_done_callback(lambda _: slots.release())
        except* (Unavailable, SetupError) as stopped:
            raise stopped.exceptions[0] from None
        return self.outcome

    def _usable(self, rows: Iterator[Row | Unusable]) -> Iterator[Row]:
        """The rows that can be sent; the others are counted."""
        for row in rows:
            if isinstance(row, Unusable):
                self.outcome.note(self.outcome.skipped, row.reason, row.line, row.detail)
            elif row.place is None:
                self.outcome.note(self.outcome.skipped, "no_coordinates", row.line, row.address or "no address either")
            else:
                yield row
                continue
            self._told(self.outcome)

    async def _send(self, row: Row) -> None:
        assert row.place is not None  # noqa: S101 - rows without a place are not sent
        said = {
            "category": row.category,
            "description": row.description,
            "location": {"lon": row.place[0], "lat": row.place[1], "datum": self._reading.datum},
            "address": row.address,
            "occurred_at": row.occurred.isoformat(),
        }
        answer = await self._client.call("POST", "/api/v1/reports", who=self._who, body=said, key=row.key)
        if answer.good:
            await self._keep(row, answer)
        else:
            detail = answer.body.get("detail", "") if isinstance(answer.body, dict) else ""
            self.outcome.note(self.outcome.refused, answer.code, row.line, str(detail))
            self._judge(row, frozenset(), f"refused: {answer.code}")
        self._told(self.outcome)

    async def _keep(self, row: Row, answer: Answer) -> None:
        if answer.headers.get("Idempotent-Replayed") == "true":
            self.outcome.known += 1
        else:
            self.outcome.filed += 1
        if row.time_note is not None:
            self.outcome.times[row.time_note] += 1
        case = answer.body["case"]
        self._judge(row, await self._names_of(case), f"cell {case['cell']}")

    def _judge(self, row: Row, ours: frozenset[str], shown: str) -> None:
        """Compare the row's own area, where it names one, with the names of where we put it."""
        if row.truth is None:
            return
        self.outcome.judged += 1
        if _plain(row.truth) in ours:
            self.outcome.agreed += 1
        else:
            self.outcome.apart[(row.truth, shown)] += 1

    async def _names_of(self, case: dict[str, Any]) -> frozenset[str]:
        """Codes and names of the cell and of the divisions above it, made comparable."""
        named = {_plain(said) for division in case["divisions"] for said in (division["code"], division["name"])}
        cell = case["cell"]
        if cell is None:
            return frozenset(named)
        if cell not in self._cells:  # one question per cell, however many rows lie in it
            self._cells[cell] = asyncio.create_task(self._ask_cell(cell))
        return (await self._cells[cell]) | named

    async def _ask_cell(self, code: str) -> frozenset[str]:
        answer = await self._client.call("GET", f"/api/v1/cells/{quote(code, safe='')}", who=self._who)
        if not answer.good:
            raise Unavailable(f"the service answers for its own cell {code} with {answer.code}")
        return frozenset({_plain(code), _plain(answer.body["name"])})


def _plain(text: str) -> str:
    """A name or code without regard to case and to the number of blanks."""
    return " ".join(text.split()).casefold()
