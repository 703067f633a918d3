"""Who reacts to what: one table, and the consumers that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from events.broker import Subscription, consume
from events.catalog import (
    Announcement,
    CalendarYearMissing,
    CameraOffline,
    CameraOnline,
    CaseAlarm,
    CaseAnswered,
    CaseAppealed,
    CaseAppealSettled,
    CaseAssigned,
    CaseCalled,
    CaseCalledBack,
    CaseCallEnded,
    CaseCauseReopened,
    CaseChecked,
    CaseCheckSent,
    CaseCheckUnmanned,
    CaseCheckWanted,
    CaseCoAssigned,
    CaseCoCalledOff,
    CaseCoDeclined,
    CaseCoHandedIn,
    CaseCorrected,
    CaseDeskAsked,
    CaseEscalated,
    CaseFiled,
    CaseHandedIn,
    CaseHandedOver,
    CaseLinked,
    CaseLocated,
    CaseMerged,
    CaseNotReached,
    CaseOrderReplied,
    CasePooled,
    CaseReferred,
    CaseRegridded,
    CaseRelieved,
    CaseReminded,
    CaseReopened,
    CaseReported,
    CaseReturned,
    CaseReworked,
    CaseSelfHandled,
    CaseSupervised,
    CaseToCallBack,
    CaseUnacknowledged,
    CaseUndone,
    CaseUnlinked,
    CaseUnmerged,
    CaseVisited,
    CaseWaiting,
    OfficerDutyChanged,
    OfficerLeft,
    OutageDeclared,
)
from events.topology import NOTICES, ROUTING, URGENT, Queue
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.assign_waiting import assign_waiting_cases
from gridsvc.actions.raise_alarm import raise_alarm
from gridsvc.actions.send_checks import send_checks
from gridsvc.actions.tell_admins import tell_admins
from gridsvc.actions.tell_maintainers import tell_maintainers
from gridsvc.actions.tell_of_leaving import tell_of_leaving
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import ConnPool
from gridsvc.settings import BrokerSettings, WorkerSettings
from workers.hear import Action, Ears, retry_round, take, take_dead_letter
from workers.runtime import hold_session, periodically

RETRY_SECONDS: Final = 1.0  # between two looks for rows that are due again


@dataclass(frozen=True)
class Listener:
    """One queue acts on one announcement."""

    queue: Queue
    announcement: type[Announcement]
    action: Action


LISTENERS: Final = (
    Listener(ROUTING, CaseFiled, assign_cases),
    Listener(ROUTING, CaseWaiting, assign_cases),
    Listener(ROUTING, CaseReopened, assign_cases),
    Listener(ROUTING, CaseUnacknowledged, assign_cases),
    Listener(ROUTING, CaseCorrected, assign_cases),
    Listener(ROUTING, CaseUnlinked, assign_cases),
    Listener(ROUTING, CaseRelieved, assign_cases),
    Listener(ROUTING, OfficerDutyChanged, assign_waiting_cases),
    Listener(ROUTING, CaseReported, send_checks),
    Listener(ROUTING, CaseLocated, send_checks),
    Listener(ROUTING, CaseUnmerged, send_checks),
    Listener(ROUTING, CaseHandedIn, send_checks),
    Listener(ROUTING, CaseSelfHandled, send_checks),
    Listener(ROUTING, CaseCheckWanted, send_checks),
    Listener(NOTICES, CaseReported, tell_people),
    Listener(NOTICES, CaseAssigned, tell_people),
    Listener(NOTICES, CasePooled, tell_people),
    Listener(NOTICES, CaseReturned, tell_people),
    Listener(NOTICES, CaseReferred, tell_people),
    Listener(NOTICES, CaseUnmerged, tell_people),
    Listener(NOTICES, CaseCheckSent, tell_people),
    Listener(NOTICES, CaseChecked, tell_people),
    Listener(NOTICES, CaseOrderReplied, tell_people),
    Listener(NOTICES, CaseAppealed, tell_people),
    Listener(NOTICES, CaseAppealSettled, tell_people),
    Listener(NOTICES, CaseReworked, tell_people),
    Listener(NOTICES, CaseReminded, tell_people),
    Listener(NOTICES, CaseDeskAsked, tell_people),
    Listener(NOTICES, CaseSupervised, tell_people),
    Listener(NOTICES, CaseCoAssigned, tell_people),
    Listener(NOTICES, CaseCoHandedIn, tell_people),
    Listener(NOTICES, CaseCoDeclined, tell_people),
    Listener(NOTICES, CaseCoCalledOff, tell_people),
    Listener(NOTICES, CaseLinked, tell_people),
    Listener(NOTICES, CaseCauseReopened, tell_people),
    Listener(NOTICES, CaseMerged, tell_people),
    Listener(NOTICES, CaseToCallBack, tell_people),
    Listener(NOTICES, CaseCalledBack, tell_people),
    Listener(NOTICES, CaseUndone, tell_people),
    Listener(NOTICES, CaseRegridded, tell_people),
    Listener(NOTICES, CaseEscalated, tell_people),
    Listener(NOTICES, CaseVisited, tell_people),
    Listener(NOTICES, CaseCheckUnmanned, tell_people),
    Listener(NOTICES, CaseNotReached, tell_people),
    Listener(NOTICES, CaseHandedOver, tell_people),
    Listener(NOTICES, CaseRelieved, tell_people),
    Listener(NOTICES, OfficerLeft, tell_of_leaving),
    Listener(NOTICES, CalendarYearMissing, tell_admins),
    Listener(NOTICES, CameraOffline, tell_maintainers),
    Listener(NOTICES, CameraOnline, tell_maintainers),
    Listener(NOTICES, OutageDeclared, tell_admins),
    Listener(URGENT, CaseAlarm, raise_alarm),
    Listener(URGENT, CaseCalled, tell_people),
    Listener(URGENT, CaseAnswered, tell_people),
    Listener(URGENT, CaseCallEnded, tell_people),
)


def ears_of(
    queue: Queue,
    pool: ConnPool,
    settings: WorkerSettings,
    careful: asyncio.Lock,
    listeners: Sequence[Listener] = LISTENERS,
) -> Ears:
    """What `queue` listens with, by the table."""
    actions = {each.announcement: each.action for each in listeners if each.queue is queue}
    return Ears(pool, queue.name, actions, settings.most_attempts, settings.prefetch, careful)


async def listen(ears: Ears, broker: BrokerSettings, settings: WorkerSettings, stop: asyncio.Event) -> None:
    """Consume one queue and its dead letters until `stop`, and try again by row what failed."""
    subscriptions = (
        Subscription(ears.queue, partial(take, ears), settings.prefetch),  # they share transactions
        Subscription(f"{ears.queue}.dead", partial(take_dead_letter, ears), 1),
    )

    async def session(ready: Callable[[], None]) -> None:
        await consume(
            broker.url,
            subscriptions,
            prefetch=settings.prefetch,
            stop=stop,
            ready=ready,
            name=f"gridsvc {ears.queue}",
            heartbeat_s=broker.heartbeat_s,
        )

    async with asyncio.TaskGroup() as group:
        group.create_task(hold_session(ears.queue, session, stop), name=f"consume {ears.queue}")
        again = partial(retry_round, ears)
        group.create_task(periodically(f"retry {ears.queue}", RETRY_SECONDS, again, stop), name=f"retry {ears.queue}")
