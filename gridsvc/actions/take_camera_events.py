"""What cameras say is taken in: known again, metered, kept in bulk. That commit is the acknowledgement.

Nothing is decided here that needs more than the message itself; workers/cameras.py goes on from the rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from events.intake.camera_event import CameraEvent
from events.storm import Entry, Why, take
from geo.place import BadPlace, read_place
from gridsvc.actions.keep_event_pictures import keep_event_pictures
from gridsvc.db import Conn
from gridsvc.ids import new_ids
from gridsvc.store import camera_events, camera_meters
from gridsvc.store.camera_events import Count, NewEvent
from gridsvc.store.rulebook import rulebook

MOST_RAW: Final = 8_192
"""Bytes of a message that are kept with its event; the rest of a longer one is not needed to judge it."""

BEHIND: Final = timedelta(days=7)
AHEAD: Final = timedelta(minutes=5)
"""A device's clock is believed this far back and ahead; beyond it an event counts as of when it came."""

LANE: Final = "lane:"
"""So begins the key of events whose device numbers nothing: what it says of one kind in one zone is one thing.

An end that names no zone has the key of its lane alone, and ends what goes on in all of its zones.
"""

_LONGEST: Final = 200  # characters of a device's words


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One event with the camera that it is of, as it came, and who sent it (key:… or token:…)."""

    camera: str
    event: CameraEvent
    raw: bytes
    sent_by: str


def spelled(event: CameraEvent) -> bytes:
    """An event as it is kept where its message is not: in our own form, without its pictures."""
    said = {name: value for name, value in vars(event).items() if value is not None and name != "snapshots"}
    return msgspec.json.encode(said)


Outcome = Literal["accepted", "duplicate", "suppressed", "rejected"]


@dataclass(frozen=True)
class Answer:
    """What became of an event at the door, why, and as what it is kept."""

    outcome: Outcome
    reason: str | None = None
    id: UUID | None = None


async def take_camera_events(
    conn: Conn, incoming: Sequence[Incoming], unkept: Counter[Count], now: datetime
) -> list[Answer]:
    """Keep these events in the caller's transaction; one answer each, in order.

    What was sent before (same camera, key, phase and content, within the rules' window) is a duplicate: counted, not
    kept. What goes beyond its camera's rate is suppressed: counted, one in so many kept. `unkept` is what came
    beside them and is no event: it is counted too.
    """
    asked = await camera_meters.rules(conn)
    zone = await _zone(conn, incoming)
    made = [_row(each, row_id, zone, now) for each, row_id in zip(incoming, new_ids(len(incoming)), strict=True)]
    rows = [each for each in made if isinstance(each, NewEvent)]
    buckets = await camera_meters.lock(conn, sorted({row.camera for row in rows}), asked, now)
    seen = await camera_events.known(conn, [row.digest for row in rows], now - asked.repeats) if rows else set()

    answers, fresh = _known_again(made, seen)
    entries: dict[UUID, Entry] = {}
    for camera, events in _by_camera(fresh).items():
        buckets[camera], entered = take(buckets[camera], asked, len(events), now)
        entries.update(zip((event.id for event in events), entered, strict=True))
    kept, counted = _sorted(fresh, entries)
    answers = [_metered(answer, entries) for answer in answers]

    await camera_events.add(conn, kept, now)
    shown = {row.id: each.event.snapshots for each, row in zip(incoming, made, strict=True) if type(row) is NewEvent}
    await keep_event_pictures(conn, [(row, pictures) for row in kept if (pictures := shown[row.id])], now)
    await camera_meters.keep(conn, buckets, now)
    for each, answer in zip(incoming, answers, strict=True):
        counted[each.camera, "received", ""] += 1
        if answer.outcome in ("duplicate", "rejected"):
            counted[each.camera, answer.outcome, answer.reason or ""] += 1
    for (camera, outcome, reason), many in unkept.items():
        counted[camera, "received", ""] += many
        counted[camera, outcome, reason] += many
    await camera_events.count(conn, counted, now)
    return answers


async def _zone(conn: Conn, incoming: Sequence[Incoming]) -> ZoneInfo | None:
    """The city's zone, where some device tells its time without one."""
    if any(each.event.at is None and each.event.local_time for each in incoming):
        return (await rulebook(conn)).zone
    return None


def _row(incoming: Incoming, row_id: UUID, zone: tzinfo | None, now: datetime) -> NewEvent | Answer:
    event = incoming.event
    lon = lat = None
    if event.spot is not None:
        try:
            place = read_place(event.spot.lon, event.spot.lat, event.spot.datum)
        except BadPlace as bad:
            return Answer("rejected", bad.reason)
        lon, lat = place.lon, place.lat
    kind, spot = _short(event.kind), event.spot
    key = _short(event.key if event.lane is None else lane_key(event.lane, event.zone))
    said = (
        incoming.camera, event.protocol, event.key, event.kind, event.phase, event.at, event.local_time, event.zone,
        event.target, event.score, event.count, event.false_alarm, spot and (spot.lon, spot.lat),
    )  # fmt: skip
    return NewEvent(
        id=row_id, camera=incoming.camera, protocol=event.protocol, key=key, kind=kind, phase=event.phase,
        at=_moment(event, zone, now), zone=_short(event.zone or ""), target=_short(event.target or ""),
        score=event.score, lon=lon, lat=lat, stands_for=event.count, taken_back=event.false_alarm,
        snapshots="\n".join(picture.url for picture in event.snapshots if picture.url),
        digest=UUID(bytes=hashlib.blake2b(repr(said).encode(), digest_size=16).digest()),
        raw=incoming.raw[:MOST_RAW], sent_by=incoming.sent_by, outcome=None, outcome_reason="",
    )  # fmt: skip


def lane_key(lane: str, zone: str | None) -> str:
    """What a device that numbers nothing says of one kind: one thing for each zone that it names."""
    return f"{LANE}{lane}/{zone}" if zone else LANE + lane


def _short(text: str) -> str:
    """A device's word as it can be kept: a longer one cut and marked by its digest, so that two stay two.

    Half characters and NUL, which the database cannot keep, are replaced.
    """
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 17]}#{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
    return text.replace("\0", "�") if "\0" in text else text


def _moment(event: CameraEvent, zone: tzinfo | None, now: datetime) -> datetime:
    at = event.at
    if at is None and event.local_time:
        try:
            told = datetime.fromisoformat(event.local_time)
        except ValueError:
            return now
        at = told if told.tzinfo else told.replace(tzinfo=zone)
    if at is None or at < now - BEHIND or at > now + AHEAD:
        return now
    return min(at, now)


def _known_again(made: Sequence[NewEvent | Answer], seen: set[UUID]) -> tuple[list[Answer], list[NewEvent]]:
    """An answer to each, and those that are said for the first time."""
    answers, fresh = [], []
    for each in made:
        if isinstance(each, Answer):
            answers.append(each)
        elif each.digest in seen:
            answers.append(Answer("duplicate"))
        else:
            seen.add(each.digest)
            fresh.append(each)
            answers.append(Answer("accepted", None, each.id))
    return answers, fresh


def _by_camera(events: Sequence[NewEvent]) -> dict[str, list[NewEvent]]:
    found: dict[str, list[NewEvent]] = defaultdict(list)
    for event in events:
        found[event.camera].append(event)
    return found


def _sorted(fresh: Sequence[NewEvent], entries: dict[UUID, Entry]) -> tuple[list[NewEvent], Counter[Count]]:
    """What is kept as a row, and the counts of what is not."""
    kept: list[NewEvent] = []
    counted: Counter[Count] = Counter()
    for event in fresh:
        match entries[event.id]:
            case Entry.LET_IN:
                kept.append(event)
            case Entry.SAMPLE:
                kept.append(event._replace(outcome="suppressed", outcome_reason=Why.RATE))
            case Entry.OVER:
                counted[event.camera, "suppressed", Why.RATE] += 1
    return kept, counted


def _metered(answer: Answer, entries: dict[UUID, Entry]) -> Answer:
    if answer.id is None or entries[answer.id] is Entry.LET_IN:
        return answer
    return Answer("suppressed", Why.RATE, answer.id if entries[answer.id] is Entry.SAMPLE else None)

