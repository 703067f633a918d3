"""What cameras have said is sorted: part of something that goes on, for a person to look at, or nothing comes of it.

Any number of workers may do this at once: each takes the events of cameras that nobody else holds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from events.catalog import CaseSeenAgain
from events.storm import (
    Fate,
    Known,
    Message,
    Next,
    Rules,
    Silence,
    Suppressed,
    ToGroup,
    ToReview,
    Traits,
    Why,
    as_its_beginning,
    fate_of,
    heard,
    is_blind,
    next_of,
)
from geo.place import Place
from gridsvc.actions.know_cameras import UNSAID, Meaning, known_cameras, meaning_of, owners, place_of
from gridsvc.actions.news import news_of
from gridsvc.actions.take_camera_events import LANE
from gridsvc.db import Conn
from gridsvc.domain.access import Whereabouts, case_keys
from gridsvc.domain.camera import SeenCell
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import UnknownCategory
from gridsvc.ids import new_id
from gridsvc.store import (
    camera_events,
    camera_incidents,
    camera_labels,
    camera_meters,
    camera_rulings,
    cameras,
    cases,
    outbox,
)
from gridsvc.store.camera_events import Decided, NewlyKept
from gridsvc.store.camera_incidents import IncidentRow, MoreEvents, SightingRow, Touch
from gridsvc.store.camera_labels import Word
from gridsvc.store.camera_rulings import ToLookAt
from gridsvc.store.cells import Owner
from gridsvc.store.known_cameras import KnownCamera
from gridsvc.store.rulebook import rulebook

OVER = frozenset({"closed", "rejected", "cancelled"})
"""States of a case that takes no evidence any more. One that was merged does: it is seen with the other."""

Key = tuple[str, str]  # camera, and the device's name of the incident


@dataclass(frozen=True)
class _Looked:
    """An event with all that its fate is decided by. `owner` None: no cell covers its place."""

    event: NewlyKept
    camera: KnownCamera | None
    label: Meaning
    place: Place
    owner: Owner | None


async def sort_camera_events(conn: Conn, now: datetime, limit: int) -> int:
    """Sort up to `limit` events that nobody has looked at; how many. In the caller's transaction, as the service."""
    events = await camera_events.claim_new(conn, limit)
    if not events:
        return 0
    book, rules = await rulebook(conn), await camera_meters.rules(conn)
    looked = await _look(conn, events, book.default_edition, now)
    sightings, begun = await _heard(conn, events)
    fates = await _fates(conn, looked, sightings, rules, now)

    decided: list[Decided] = []
    reviewed: list[_Looked] = []
    grouped: list[tuple[_Looked, ToGroup]] = []
    notes: dict[Key, str] = {}
    goes_on = {_name(each) for each, fate in zip(looked, fates, strict=True) if _goes_on(each, fate)}
    for each, told in zip(looked, fates, strict=True):
        fate = _as_its_beginning(each, told, sightings[begun[each.event.id]], begun[each.event.id] in goes_on)
        if isinstance(fate, Suppressed):
            decided.append(_ended(each.event, "suppressed", fate.why))
            if sightings[_name(each)].incident_id is None:  # what waits, or has its case, has come to something
                notes[_name(each)] = str(fate.why)
        elif each.owner is None:
            decided.append(_ended(each.event, "rejected", "outside_the_grid"))
        elif isinstance(fate, ToReview) or not _in_force(book, fate.category):
            reviewed.append(each)
        else:
            grouped.append((each, fate))
    unknown = (
        each for each, fate in zip(looked, fates, strict=True) if isinstance(fate, ToReview) and not each.label.said
    )
    await camera_labels.record_unmapped(conn, Counter(_word(each.event) for each in unknown), now)
    decided += await _to_review(conn, reviewed, book, now)
    decided += await _to_groups(conn, grouped, sightings, begun, book, rules, now)
    notes |= {_name(each): "" for each, _ in grouped if sightings[_name(each)].came_to_nothing}
    await camera_incidents.keep_sightings(conn, list(sightings.values()))
    await camera_incidents.came_to_nothing(conn, notes)
    await camera_events.decide(conn, decided)
    return len(events)


def _name(each: _Looked) -> Key:
    return each.event.camera, each.event.key


def _goes_on(each: _Looked, fate: Fate) -> bool:
    return isinstance(fate, ToGroup) and each.event.phase != "end"


def _as_its_beginning(each: _Looked, fate: Fate, begun: SightingRow, goes_on: bool) -> Fate:
    """What becomes of an event that would lead to a case: an end of what came to nothing comes to nothing too."""
    why = as_its_beginning(each.event.phase == "end", begun.came_to_nothing, goes_on)
    return Suppressed(why) if isinstance(fate, ToGroup) and why is not None else fate


def _word(event: NewlyKept) -> Word:
    return event.camera, event.kind, event.zone, event.target


def _ended(event: NewlyKept, outcome: str, reason: str) -> Decided:
    return Decided(id=event.id, received_at=event.received_at, outcome=outcome, reason=reason)


def _in_force(book: Rulebook, category: str) -> bool:
    try:
        book.category(category)
    except UnknownCategory:
        return False
    return True


# -- look --------------------------------------------------------------------------------------------


async def _look(conn: Conn, events: Sequence[NewlyKept], edition: str | None, now: datetime) -> list[_Looked]:
    codes = sorted({event.camera for event in events})
    known, labels = await known_cameras(conn, codes), await camera_labels.labels_for(conn, codes)
    seen: dict[str, list[SeenCell]] = defaultdict(list)
    for row in await cameras.SEEN.all(conn, codes):
        seen[row.camera].append(row.cell_seen())
    places: list[Place | None] = []
    for event in events:
        camera = known.get(event.camera)
        if event.lon is not None and event.lat is not None:
            places.append(Place(event.lon, event.lat))
        else:
            places.append(place_of(camera, seen[event.camera], event.zone) if camera else None)
    asked = list(dict.fromkeys(place for place in places if place is not None))
    found = dict(zip(asked, await owners(conn, asked, now), strict=True))
    return [
        _Looked(
            event,
            known.get(event.camera),
            meaning_of(known[event.camera], labels, _word(event)[1:], edition) if event.camera in known else UNSAID,
            place or _NOWHERE,
            found.get(place) if place is not None else None,
        )
        for event, place in zip(events, places, strict=True)
    ]


_NOWHERE = Place(0.0, 0.0)


async def _heard(conn: Conn, events: Sequence[NewlyKept]) -> tuple[dict[Key, SightingRow], dict[UUID, Key]]:
    """The sightings of these events, with what they say; and the sighting that each event belongs to.

    That is its own, but of an end that names no zone of its lane: it ends all that goes on in the lane's zones, and
    belongs to what was seen last of that.
    """
    wanted = list(dict.fromkeys((event.camera, event.key) for event in events))
    known = await camera_incidents.sightings(conn, wanted)
    lanes = {(event.camera, event.key) for event in events if _ends_a_lane(event)}
    in_lanes = await camera_incidents.in_lanes(conn, sorted(lanes))
    known |= {name: row for name, row in in_lanes.items() if name not in known}
    for event in events:
        message = Message(
            at=event.at, ended=event.phase == "end", taken_back=event.taken_back, heard_at=event.received_at,
            unnumbered=event.key.startswith(LANE),
        )  # fmt: skip
        before = known.get((event.camera, event.key))
        after = heard(before.sighting() if before else None, message)
        known[event.camera, event.key] = SightingRow(
            event.camera, event.key, event.kind, event.zone, event.target, after.first_at, after.last_at,
            after.heard_at, after.ended, after.taken_back, after.messages, before.incident_id if before else None,
            before.came_to_nothing if before else None,
        )  # fmt: skip
    begun = {event.id: (event.camera, event.key) for event in events}
    for event in events:
        zones = [row for row in known.values() if _is_zone_of(row, event)] if _ends_a_lane(event) else []
        going_on = [row for row in zones if not row.ended and row.first_at <= event.at]
        if going_on:
            last = max(going_on, key=lambda row: (row.last_at, row.key))
            begun[event.id] = (last.camera, last.key)
        known |= {(row.camera, row.key): replace(row, ended=True) for row in going_on if row.last_at <= event.at}
    return known, begun


def _ends_a_lane(event: NewlyKept) -> bool:
    return event.key.startswith(LANE) and event.phase == "end" and not event.zone


def _is_zone_of(row: SightingRow, event: NewlyKept) -> bool:
    return row.camera == event.camera and row.key.startswith(f"{event.key}/")


async def _fates(
    conn: Conn, looked: Sequence[_Looked], sightings: Mapping[Key, SightingRow], rules: Rules, now: datetime
) -> list[Fate]:
    codes = sorted({each.event.camera for each in looked})
    silences = [
        Silence(id=row.id, matchers=row.matchers, starts_at=row.starts_at, ends_at=row.ends_at)
        for row in await camera_rulings.IN_FORCE.all(conn, now)
    ]
    muted = {(row.camera, row.kind) for row in await camera_rulings.STANDING_MUTES.all(conn, codes)}
    blind = await blinded(conn, codes, rules, now)
    blind |= {row.camera for row in sightings.values() if is_blind(row.kind, row.ended, row.heard_at, rules, now)}
    return [
        fate_of(
            Known(
                traits=Traits(
                    camera=each.event.camera, kind=each.event.kind, zone=each.event.zone, target=each.event.target,
                    category=each.label.category or "", cell=each.owner.cell_code if each.owner else "",
                ),
                mode=each.label.mode,
                camera_off=each.camera is None or each.camera.off,
                blind=each.event.camera in blind,
                muted=(each.event.camera, each.event.kind) in muted,
                taken_back=sightings[each.event.camera, each.event.key].taken_back,
            ),
            rules, silences, now,
        )
        for each in looked
    ]  # fmt: skip


async def blinded(conn: Conn, codes: Sequence[str], rules: Rules, now: datetime) -> set[str]:
    """Which of these cameras cannot see, by what they have said of themselves."""
    rows = await camera_incidents.BLINDED.all(conn, codes, sorted(rules.blinding))
    return {row.camera for row in rows if is_blind(row.kind, row.ended, row.heard_at, rules, now)}


# -- for a person to look at ----------------------------------------------------------------------------


async def _to_review(conn: Conn, looked: Sequence[_Looked], book: Rulebook, now: datetime) -> list[Decided]:
    by_print: dict[tuple[str, str, str, str], list[_Looked]] = defaultdict(list)
    for each in looked:
        by_print[each.event.camera, each.event.kind, each.event.zone, each.event.target].append(each)
    asked = await camera_rulings.ask_for_review(conn, [_question(alike, book) for alike in by_print.values()], now)
    return [
        replace(_ended(each.event, "review", ""), review_id=asked[fingerprint])
        for fingerprint, alike in by_print.items()
        for each in alike
    ]


def _question(alike: Sequence[_Looked], book: Rulebook) -> ToLookAt:
    first, moments = alike[0], [each.event.at for each in alike]
    owner, category = first.owner, first.label.category
    assert owner is not None  # noqa: S101 - what lies outside the grid was rejected
    known = category is not None and _in_force(book, category)
    return ToLookAt(
        id=new_id(), camera=first.event.camera, kind=first.event.kind, zone=first.event.zone,
        target=first.event.target, why="mode" if known else "unmapped", category=category if known else None,
        lon=first.place.lon, lat=first.place.lat, cell_code=owner.cell_code, division_code=owner.division_code,
        seen_by=case_keys(Whereabouts(divisions=owner.divisions, duty_line=_line(book, category if known else None))),
        first_at=min(moments), last_at=max(moments), events=len(alike),
    )  # fmt: skip


def _line(book: Rulebook, category: str | None) -> str:
    return book.category(category).duty_line if category is not None else ""


# -- part of something that goes on ---------------------------------------------------------------------


async def _to_groups(
    conn: Conn, grouped: Sequence[tuple[_Looked, ToGroup]], sightings: dict[Key, SightingRow],
    begun: Mapping[UUID, Key], book: Rulebook, rules: Rules, now: datetime,
) -> list[Decided]:  # fmt: skip
    # What belongs to an incident that is over already stays with it: an end that comes late opens nothing.
    earlier = await camera_incidents.by_id(conn, sorted({r.incident_id for r in sightings.values() if r.incident_id}))
    by_key: dict[str, list[_Looked]] = defaultdict(list)
    categories: dict[str, str] = {}
    chosen: dict[Key, str] = {}
    belated: list[tuple[_Looked, IncidentRow]] = []
    for each, fate in sorted(grouped, key=lambda pair: _ends_a_lane(pair[0].event)):  # after what they end
        before = earlier.get(sightings[begun[each.event.id]].incident_id or _NONE)
        key = chosen.get(begun[each.event.id], fate.key) if _ends_a_lane(each.event) else fate.key
        if before is not None and _stays(each.event, before, fate):
            if before.case_id is not None:
                belated.append((each, before))
                continue
            key = before.group_key if before.due_at is not None else key
        chosen[_name(each)] = key
        by_key[key].append(each)
        categories.setdefault(key, fate.category)
    touches = [_touch(key, alike, book, categories[key], rules, now) for key, alike in by_key.items()]
    incidents = await camera_incidents.touch(conn, touches, now)

    decided: list[Decided] = []
    joined: dict[UUID, list[NewlyKept]] = defaultdict(list)
    again: set[UUID] = set()
    for each, incident in [*belated, *((each, incidents[key]) for key, alike in by_key.items() for each in alike)]:
        name, event = (each.event.camera, each.event.key), each.event
        sightings[name] = replace(sightings[name], incident_id=incident.id)
        if incident.case_id is None or incident.decided_at is None or incident.due_at is not None:
            decided.append(_waits(event, incident))
            continue
        match next_of(incident.case_state in OVER, incident.decided_at, rules, now):
            case Next.JOIN:
                joined[incident.id].append(event)
                decided.append(replace(_ended(event, "joined", ""), incident_id=incident.id, case_id=incident.case_id))
            case Next.SUPPRESS:
                decided.append(replace(_ended(event, "suppressed", Why.CLOSED_LATELY), incident_id=incident.id))
            case Next.OPEN_AGAIN if event.phase == "end":  # it is over: nothing goes on
                decided.append(replace(_ended(event, "suppressed", Why.CLOSED_LATELY), incident_id=incident.id))
            case Next.OPEN_AGAIN:
                decided.append(_waits(event, incident))
                again.add(incident.id)
    rows = {row.id: row for row in [*(before for _, before in belated), *incidents.values()]}
    more = [_more(rows[incident_id], news) for incident_id, news in sorted(joined.items())]
    await camera_incidents.add_events(conn, await _tell(conn, more, rows, rules, now))
    await camera_incidents.due_now(conn, sorted(again), now)
    return decided


_NONE = UUID(int=0)


def _stays(event: NewlyKept, before: IncidentRow, fate: ToGroup) -> bool:
    """Whether a message stays with the incident that its device's earlier ones led to: it has moved on, or ended.

    Where the device numbers nothing, what is seen elsewhere has not moved: it is another thing.
    """
    moved = before.group_key != fate.key and not event.key.startswith(LANE)
    return moved or event.phase == "end"


def _waits(event: NewlyKept, incident: IncidentRow) -> Decided:
    return Decided(id=event.id, received_at=event.received_at, incident_id=incident.id)


def _touch(key: str, alike: Sequence[_Looked], book: Rulebook, category: str, rules: Rules, now: datetime) -> Touch:
    first = min(alike, key=lambda each: (each.event.at, each.event.id))
    found, owner = book.category(category), first.owner
    assert owner is not None  # noqa: S101 - what lies outside the grid was rejected
    return Touch(
        id=new_id(), group_key=key, camera=first.event.camera, edition=found.edition, category=found.code,
        cell_code=owner.cell_code, lon=first.place.lon, lat=first.place.lat, first_at=first.event.at,
        last_at=max(each.event.at for each in alike), due_at=now + rules.wait,
    )  # fmt: skip


def _more(incident: IncidentRow, news: Sequence[NewlyKept]) -> MoreEvents:
    return MoreEvents(
        id=incident.id, events=len(news), cameras=sorted({*incident.cameras, *(event.camera for event in news)}),
        told_at=incident.told_at,
    )  # fmt: skip


async def _tell(
    conn: Conn, more: Sequence[MoreEvents], rows: Mapping[UUID, IncidentRow], rules: Rules, now: datetime
) -> list[MoreEvents]:
    """Say of each case, at most once in an interval, that cameras still see it; the same, with when it was told."""
    news, told = [], []
    for each in more:
        incident = rows[each.id]
        before = incident.told_at or incident.decided_at
        due = incident.case_id is not None and (before is None or now - before >= rules.interval)
        case = await cases.read(conn, incident.case_id) if incident.case_id is not None and due else None
        if case is not None:
            common = news_of(case, f"camera:{incident.camera}", now)
            news.append(CaseSeenAgain(**common, events=incident.events + each.events, cameras=len(each.cameras)))
        told.append(replace(each, told_at=now if case is not None else each.told_at))
    await outbox.append(conn, news, now)
    return told
