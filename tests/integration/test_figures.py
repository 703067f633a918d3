"""What a worker process shows to Prometheus: asked by HTTP, of a real process."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress

from aiohttp import ClientConnectorError, ClientSession

from gridsvc.db import ConnPool, transaction
from gridsvc.store import outbox
from tests.integration.announced import filed, reported
from tests.integration.patiently import until
from tests.integration.test_serve import free_port, said

HEARD = 'gridsvc_worker_messages_total{outcome="heard",queue="routing"} 3.0'
FAILED = 'gridsvc_worker_messages_total{outcome="failed",queue="notices"}'
SHOWN = (
    'gridsvc_worker_message_lag_seconds_count{queue="routing"} 3.0',
    'gridsvc_worker_failures_waiting{queue="notices"} 1.0',
    'gridsvc_worker_failures_dead{queue="notices"} 0.0',
    "gridsvc_outbox_waiting 0.0",
    "gridsvc_outbox_oldest_seconds 0.0",
    "gridsvc_sweep_lag_seconds 0.0",
    "gridsvc_worker_database_up 1.0",
    'gridsvc_worker_rounds_total{outcome="done",round="outbox"}',
    'gridsvc_worker_round_success_timestamp_seconds{round="outbox"}',
    "gridsvc_reconcile_repairs_total",
    "process_start_time_seconds" if sys.platform == "linux" else "",
)


async def test_a_worker_shows_what_it_heard_what_failed_and_what_waits(
    pool: ConnPool, database: str, amqp_url: str
) -> None:
    async with transaction(pool) as (conn, now):
        # Of cases that nobody knows: routing passes them over, and who is to tell of one fails.
        await outbox.append(conn, [filed(), filed(), reported()], now)
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GRIDSVC_")},
        "GRIDSVC_DATABASE_URL": database, "GRIDSVC_AMQP_URL": amqp_url, "GRIDSVC_METRICS_PORT": str(port),
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gridsvc", "worker", "relay", "listen", "notices", "reconcile", env=environment,
        stderr=PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            await said(process, "process_started")
        async with ClientSession() as session:

            async def shown() -> str | None:
                try:
                    async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                        text = await answer.text()
                except ClientConnectorError:
                    return None
                return text if HEARD in text and FAILED in text else None

            text = await until(shown, what="the worker to show what it heard and what failed")
            async with session.get(f"http://127.0.0.1:{port}/anything") as answer:
                assert answer.status == 404
        assert text is not None
        assert [line for line in SHOWN if line not in text] == []
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()
    assert process.returncode == 0, "the listener ends with the worker"
