"""The wait of an incident is over: it opens a case, joins one that is open near by, or nothing comes of it.

Cases are opened by the same action as all reports, with the source `camera`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from events.storm import Next, Rules, Waiting, Why, after_the_wait, next_of
from geo.place import Place
from geo.projection import metres_between
from gridsvc.actions.file_report import Taken, file_reports
from gridsvc.actions.know_cameras import known_cameras, owners
from gridsvc.actions.sort_camera_events import OVER, blinded
from gridsvc.db import Conn
from gridsvc.domain.alarm import storm_alarm
from gridsvc.domain.report import Claim, Report
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import GridError, UnknownCategory
from gridsvc.ids import new_id
from gridsvc.store import alarms, camera_events, camera_incidents, camera_meters
from gridsvc.store.camera_events import Decided, WithItsGroup
from gridsvc.store.camera_incidents import Change, IncidentRow, Touch
from gridsvc.store.known_cameras import KnownCamera
from gridsvc.store.numbers import NumberBlocks
from gridsvc.store.rulebook import rulebook

SOURCE: Final = "camera"


@dataclass(frozen=True)
class _Ready:
    """An incident with the events that stand, the earliest first; a storm has none, and a case all the same."""

    incident: IncidentRow
    events: Sequence[WithItsGroup]


async def open_camera_cases(conn: Conn, numbers: NumberBlocks, now: datetime, limit: int) -> int:
    """Decide up to `limit` incidents whose wait is over; how many. In the caller's transaction, as the service.

    What another worker decides at this moment is passed over. Each incident leads to one case, once.
    """
    due = await camera_incidents.LOCK_DUE.all(conn, now, limit)
    if not due:
        return 0
    book, rules = await rulebook(conn), await camera_meters.rules(conn)
    ready, decided = await _stand(conn, due, rules, now)
    kinds = sorted({f"{each.incident.edition}:{each.incident.category}" for each in ready})
    await camera_incidents.LOCK_CATEGORIES.run(conn, kinds)
    near = await camera_incidents.open_near(conn, [each.incident for each in ready if _is_at_place(each.incident)])
    cameras = await known_cameras(conn, sorted({each.incident.camera for each in ready}))
    leaders = _first_of_their_place(ready, near, book)
    reports = {each.incident.id: _report(each, cameras.get(each.incident.camera), book) for each in leaders}
    answers = await file_reports(conn, list(reports.values()), numbers, now) if reports else []
    filed = dict(zip(reports, answers, strict=True))
    cases = _cases(ready, leaders, near, filed, book)
    changes = {incident.id: _nothing_came(incident, now) for incident in due}
    for each in ready:
        found = cases[each.incident.id]
        if isinstance(found, GridError):
            decided += [_ended(event, "rejected", found.code) for event in each.events]
            continue
        opened = each.incident.id in filed
        decided += [
            replace(_ended(event, "opened" if opened and n == 0 else "joined", ""), case_id=found)
            for n, event in enumerate(each.events)
        ]
        changes[each.incident.id] = _led_to(each, found, now)
    await camera_events.decide(conn, decided)
    await camera_incidents.change(conn, list(changes.values()))
    return len(due)


async def _stand(
    conn: Conn, due: Sequence[IncidentRow], rules: Rules, now: datetime
) -> tuple[list[_Ready], list[Decided]]:
    """The incidents of which something is left, and what became of the events that are not."""
    waiting: dict[UUID, list[WithItsGroup]] = defaultdict(list)
    for event in await camera_events.OF_INCIDENTS.all(conn, [incident.id for incident in due]):
        waiting[event.incident_id].append(event)
    blind = await blinded(conn, sorted({e.camera for events in waiting.values() for e in events}), rules, now)
    ready, decided = [], []
    for incident in due:
        by_id = {event.id: event for event in waiting[incident.id]}
        left, gone = after_the_wait(
            [
                Waiting(
                    id=e.id, camera=e.camera, at=e.at, kind=e.kind, taken_back=e.taken_back, blind=e.camera in blind
                )
                for e in by_id.values()
            ],
            rules,
        )
        decided += [_ended(by_id[event_id], "suppressed", why) for event_id, why in gone.items()]
        if left or _is_storm(incident):
            ready.append(_Ready(incident, [by_id[each.id] for each in left]))
    return ready, decided


def _ended(event: WithItsGroup, outcome: str, reason: str | Why) -> Decided:
    return Decided(
        id=event.id, received_at=event.received_at, outcome=outcome, reason=reason, incident_id=event.incident_id
    )


def _first_of_their_place(ready: Sequence[_Ready], near: Mapping[UUID, UUID], book: Rulebook) -> list[_Ready]:
    """Those that open a case: none is open near by, and nothing of the kind that is decided with them lies as near."""
    leaders: list[_Ready] = []
    for each in ready:
        if each.incident.id not in near and _leader_of(each.incident, leaders, book) is None:
            leaders.append(each)
    return leaders


def _leader_of(incident: IncidentRow, leaders: Sequence[_Ready], book: Rulebook) -> IncidentRow | None:
    if not _is_at_place(incident):
        return None
    radius_m = book.categories[incident.edition, incident.category].duplicate_radius_m
    for each in leaders:
        other = each.incident
        alike = _is_at_place(other) and (other.edition, other.category) == (incident.edition, incident.category)
        if alike and metres_between(_place(incident), _place(other)) <= radius_m:
            return other
    return None


def _is_at_place(incident: IncidentRow) -> bool:
    """Whether it is about a place, where others may see the same; not about the camera itself."""
    return not incident.group_key.startswith(("camera:", _STORM))


def _is_storm(incident: IncidentRow) -> bool:
    return incident.group_key.startswith(_STORM)


_STORM: Final = "storm:"


def _place(incident: IncidentRow) -> Place:
    return Place(incident.lon, incident.lat)


def _report(each: _Ready, camera: KnownCamera | None, book: Rulebook) -> Report:
    incident = each.incident
    category = book.categories[incident.edition, incident.category]
    name = camera.name if camera else incident.camera
    first = each.events[0] if each.events else None
    words = (first.kind, first.target, first.zone) if first else ("告警风暴", "event storm")
    seen = "、".join(word for word in words if word)
    return Report(
        id=new_id(), case_id=new_id(), source=SOURCE, reported_by=f"camera:{incident.camera}",
        category=f"{category.edition}:{category.code}", description=f"{name}：{category.name}（{seen}）", address="",
        place=_place(incident), claim=Claim(incident.lon, incident.lat, "wgs84"),
        occurred_at=first.at if first else None,
    )  # fmt: skip


def _cases(
    ready: Sequence[_Ready], leaders: Sequence[_Ready], near: Mapping[UUID, UUID],
    filed: Mapping[UUID, Taken | GridError], book: Rulebook,
) -> dict[UUID, UUID | GridError]:  # fmt: skip
    """The case that each incident leads to, or the refusal of its report."""
    found: dict[UUID, UUID | GridError] = {}
    for each in ready:
        mine = each.incident.id
        if mine in near:
            found[mine] = near[mine]
            continue
        leader = each.incident if mine in filed else _leader_of(each.incident, leaders, book)
        assert leader is not None  # noqa: S101 - whatever has no leader is one
        taken = filed[leader.id]
        found[mine] = taken.case.id if isinstance(taken, Taken) else taken
    return found


def _nothing_came(incident: IncidentRow, now: datetime) -> Change:
    return Change(
        id=incident.id, due_at=None, events=incident.events, cameras=incident.cameras, case_id=incident.case_id,
        decided_at=incident.decided_at or now, told_at=incident.told_at, over_at=now,
    )  # fmt: skip


def _led_to(each: _Ready, case_id: UUID, now: datetime) -> Change:
    incident = each.incident
    cameras = {incident.camera, *incident.cameras, *(event.camera for event in each.events)}
    return Change(
        id=incident.id, due_at=None, events=incident.events + len(each.events), cameras=sorted(cameras),
        case_id=case_id, decided_at=now, told_at=None,
    )  # fmt: skip


async def see_storms(conn: Conn, now: datetime) -> int:
    """Let each camera that storms raise an alarm, and have one case about itself while it does; how many storm.

    As the service. The alarm does not wait for a category of the case.
    """
    storming = await camera_meters.STORMING.all(conn, now)
    rules = await camera_meters.rules(conn)
    if not storming:
        return 0
    cameras = await known_cameras(conn, [each.camera for each in storming])
    alarming = {new_id(): storm_alarm(camera.code, camera.name) for camera in cameras.values()}
    await alarms.raise_storms(conn, alarming, now, again_after=rules.repeat)
    if rules.storm_category is None:
        return len(storming)
    try:
        category = (await rulebook(conn)).category(rules.storm_category)
    except UnknownCategory:
        return len(storming)
    found = await owners(conn, [Place(each.lon, each.lat) for each in cameras.values()], now)
    touches = [
        Touch(
            id=new_id(), group_key=f"{_STORM}{camera.code}", camera=camera.code, edition=category.edition,
            category=category.code, cell_code=owner.cell_code, lon=camera.lon, lat=camera.lat, first_at=now,
            last_at=now, due_at=now,
        )
        for camera, owner in zip(cameras.values(), found, strict=True)
        if owner is not None
    ]  # fmt: skip
    going_on = await camera_incidents.touch(conn, touches, now)
    again = [
        row.id
        for row in going_on.values()
        if row.case_state in OVER and row.decided_at is not None
        and next_of(True, row.decided_at, rules, now) is Next.OPEN_AGAIN
    ]  # fmt: skip
    await camera_incidents.due_now(conn, again, now)
    return len(storming)
