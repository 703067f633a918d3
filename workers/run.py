"""One worker process: the kinds it was asked for, side by side, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

from events.topology import NOTICES, ROUTING, URGENT
from gridsvc.db import SERVICE, ConnPool, open_pool
from gridsvc.errors import BadSettings
from gridsvc.heap import settle
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.signing import Signer
from workers.camera_pictures import picture_work
from workers.cameras import cameras
from workers.figures import show_figures
from workers.hear import Ears
from workers.listen import ears_of, listen
from workers.mqtt import mqtt
from workers.reach import reach
from workers.reconcile import reconcile
from workers.relay import relay
from workers.runtime import Work, until_stopped
from workers.sip import sip_service
from workers.sweep import sweep

log = logging.getLogger(__name__)

KINDS: Final = ("relay", "listen", "sweep", "notices", "urgent", "reconcile", "cameras", "mqtt", "sip")
"""`listen` consumes the queue of routing, `notices` that of notices, `urgent` that of emergencies, `mqtt` that of what
sites publish; each may run any number of times. `sip` holds a socket and runs once, where GRIDSVC_SIP_LISTEN says."""

_QUEUES: Final = {"listen": ROUTING, "notices": NOTICES, "urgent": URGENT}


def every_kind(settings: Settings) -> tuple[str, ...]:
    """What `all` stands for: without SIP where nobody is to listen."""
    return KINDS if settings.sip.listen else tuple(kind for kind in KINDS if kind != "sip")


async def work(kinds: Sequence[str], settings: Settings) -> None:
    """Run `kinds` (of KINDS) until SIGINT or SIGTERM. Comes out with an ExceptionGroup if one of them fails.

    Raises BadSettings where one of them lacks a setting that it needs.
    """
    _need(kinds, settings)
    async with open_pool(
        settings.database.url,
        size=settings.database.pool_size,
        scope=SERVICE,
        name=f"gridsvc {' '.join(kinds)}",
        by_index=True,
        plan_once=True,  # each message asks the same few things; planning them anew took 0.7 ms per case
    ) as pool:
        settle()
        log.info("working", extra={"action": "process_started", "kinds": list(kinds)})
        await until_stopped(*_works(kinds, pool, settings), *_figures(pool, settings))


def _need(kinds: Sequence[str], settings: Settings) -> None:
    wanted = {"GRIDSVC_DATABASE_URL": settings.database.url}
    if {"relay", "mqtt", *_QUEUES} & set(kinds):
        wanted["GRIDSVC_AMQP_URL"] = settings.broker.url
    if "sweep" in kinds or ("sip" in kinds and not settings.identity.sealing_secrets):
        wanted["GRIDSVC_SECRET"] = settings.identity.secret
    if "sip" in kinds:
        wanted["GRIDSVC_SIP_LISTEN"] = settings.sip.listen
    missing = sorted(name for name, value in wanted.items() if not value)
    if missing:
        raise BadSettings(f"{', '.join(missing)} is empty; {', '.join(kinds)} cannot work without it")


def _works(kinds: Sequence[str], pool: ConnPool, settings: Settings) -> list[tuple[str, Work]]:
    careful = asyncio.Lock()  # of the process: whatever kills it, one row names
    return [(kind, _work_of(kind, pool, settings, careful)) for kind in kinds]


def _figures(pool: ConnPool, settings: Settings) -> list[tuple[str, Work]]:
    wanted = settings.workers.metrics_port
    return [("figures", partial(show_figures, pool, settings.workers))] if wanted else []


async def _notices(pool: ConnPool, settings: Settings, ears: Ears, stop: asyncio.Event) -> None:
    """Tell people, and let what nobody acknowledges go on."""
    sealer = Sealer.of_secrets(settings.identity.sealing) if any(settings.identity.sealing) else None
    async with asyncio.TaskGroup() as group:
        group.create_task(listen(ears, settings.broker, settings.workers, stop), name="notices heard")
        group.create_task(reach(pool, sealer, stop, settings.push), name="channels")


def _work_of(kind: str, pool: ConnPool, settings: Settings, careful: asyncio.Lock) -> Work:
    workers, broker = settings.workers, settings.broker
    match kind:
        case "relay":
            return partial(relay, pool, broker, workers)
        case "notices":
            return partial(_notices, pool, settings, ears_of(NOTICES, pool, workers, careful))
        case "listen" | "urgent":
            return partial(listen, ears_of(_QUEUES[kind], pool, workers, careful), broker, workers)
        case "sweep":
            signer = Signer.of_secret(settings.identity.secret)
            return partial(sweep, settings.database.url, pool, workers, settings.files, signer)
        case "reconcile":
            return partial(reconcile, pool, workers)
        case "cameras":
            return partial(cameras, settings.database.url, pool, workers, picture_work(pool, settings))
        case "mqtt":
            return partial(mqtt, pool, broker, workers)
        case "sip":
            return partial(sip_service, pool, Sealer.of_secrets(settings.identity.sealing), settings.sip)
    raise BadSettings(f"{kind} is no kind of worker; want {', '.join(KINDS)}")
