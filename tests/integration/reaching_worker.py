"""The part of `gridsvc worker notices` that sends notices on: run as a program by a test that kills it."""

from __future__ import annotations

import asyncio
import sys

from gridsvc.db import SERVICE, open_pool
from gridsvc.sealing import Sealer
from gridsvc.settings import PushSettings
from workers.reach import reach


async def work(database: str, secret: str, push: str = "") -> None:
    """Send on until killed."""
    async with open_pool(database, scope=SERVICE, size=2) as pool:
        await reach(pool, Sealer.of_secrets([secret]), asyncio.Event(), PushSettings(private=push))


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
