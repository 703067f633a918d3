"""The live feed: position, snapshot, deltas; nobody hears of what he may not see; nothing is lost without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Role
from gridsvc.ids import new_id
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, a

PATIENCE_S = 10.0
PLACES = {NORTH: 103.805, SOUTH: 103.815}


@dataclass
class Watcher:
    """A client of the feed as one should be: position, snapshot, deltas, by the rules of docs/live.md."""

    ws: ClientWebSocketResponse
    client: Client
    cases: dict[str, int] = field(default_factory=dict)
    epoch: str = ""
    seq: int = 0
    heard: list[Any] = field(default_factory=list)

    async def next(self) -> Any:
        message = await self.ws.receive_json(timeout=PATIENCE_S)
        self.heard.append(message)
        self.apply(message)
        return message

    def apply(self, message: Any) -> None:
        self.seq = max(self.seq, message.get("seq", 0))
        if message["type"] == "position":
            self.epoch, self.seq = message["epoch"], message["seq"]
        elif message["type"] == "case":
            if message["case"]["version"] >= self.cases.get(message["case"]["id"], 0):
                self.cases[message["case"]["id"]] = message["case"]["version"]
        elif message["type"] == "gone":
            self.cases.pop(message["id"], None)

    async def until(self, kind: str, **facts: Any) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.next()
                told = message.get(kind, message)
                if message["type"] == kind and all(told[name] == value for name, value in facts.items()):
                    return message

    async def load(self) -> Any:
        said = await self.client.get("/api/v1/live/snapshot")
        assert said.status == 200, said.body
        self.cases = {case["id"]: case["version"] for case in said.body["cases"]}
        self.epoch, self.seq = said.body["epoch"], said.body["seq"]
        return said.body


@asynccontextmanager
async def watching(api: Api, client: Client, query: str = "", url: str = "") -> AsyncIterator[Watcher]:
    async with api.http.ws_connect(f"{url or api.url}/api/v1/live{query}", headers=client.headers) as ws:
        yield Watcher(ws, client)


async def report(client: Client, division: str = NORTH) -> str:
    said = await client.post(
        "/api/v1/reports",
        {
            "category": "0101", "description": "x", "occurred_at": "2026-01-01T00:00:00Z",
            "location": {"lon": PLACES[division], "lat": 36.055, "datum": "wgs84"},
        },
    )  # fmt: skip
    assert said.status == 201, said.body
    return str(said.body["case"]["id"])


async def test_position_then_snapshot_then_deltas(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    before = await report(ann)
    async with watching(api, ann) as watcher:
        position = await watcher.next()
        assert position["type"] == "position"
        assert position["recovered"] is False
        snapshot = await watcher.load()
        assert snapshot["epoch"] == position["epoch"]
        assert snapshot["seq"] >= position["seq"]
        assert [case["id"] for case in snapshot["cases"]] == [before]
        after = await report(ann)
        delta = await watcher.until("case", id=after)
        assert delta["seq"] > position["seq"]
        assert {"id", "number", "state", "cell", "beats", "officer", "version", "overdue"} <= delta["case"].keys()
