"""The running city that the stories and the failures share: set up once, used by one test after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.stage import Stage
from gridsvc.db import SERVICE, open_pool
from gridsvc.local.service_client import ServiceClient
from tests.acceptance.running_city import PATIENCE_S, QUICK, RunningCity, small_town, start


@pytest.fixture(scope="session")
async def city(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningCity]:
    """A small city on private servers that are safe against power loss, each part a process of its own."""
    home: Path = tmp_path_factory.mktemp("running-city")
    town, stage = small_town(), Stage(home, QUICK)
    await asyncio.to_thread(stage.__enter__)
    try:
        # What the failure tests leave open must not fill anybody up.
        await stage.furnish(town, is_test=True, most_open=500)
        await asyncio.to_thread(start, stage)
        async with (
            ServiceClient(stage.url, patience_s=PATIENCE_S, connections=64) as client,
            open_pool(stage.database_url, scope=SERVICE, size=2, name="checker") as pool,
        ):
            opened = RunningCity(stage, town, client, pool)
            await opened.officers()
            yield opened
    finally:
        await asyncio.to_thread(stage.close)
