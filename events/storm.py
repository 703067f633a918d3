"""Holding storms down: what is let in, what is one thing, what nothing comes of, and why. Pure decisions.

The semantics are those of Prometheus Alertmanager (docs/configuration.md there), as far as they fit a city:
docs/rules/storms.md says exactly which, and where we do otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How much is asked of cameras, and how their words are held together: a row of the city's data."""

    wait: timedelta
    interval: timedelta
    repeat: timedelta
    resolve: timedelta
    rate_per_s: float
    burst: int
    sample_every: int
    storm_after: int
    storm_category: str | None
    blinding: Collection[str]
    repeats: timedelta
    mute_after: int
    mute_below: float


# -- the token bucket --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """What one camera may still send at once. `over` counts what came beyond it since it was last full."""

    tokens: float
    filled_at: datetime
    over: int = 0


class Entry(StrEnum):
    """Whether an event is let in."""

    LET_IN = "let_in"
    SAMPLE = "sample"  # beyond the rate, and kept all the same: one of so many
    OVER = "over"  # beyond the rate: counted, not kept


def full_bucket(rules: Rules, now: datetime) -> Bucket:
    """The bucket of a camera that has not been heard yet."""
    return Bucket(tokens=float(rules.burst), filled_at=now)


def take(bucket: Bucket, rules: Rules, events: int, now: datetime) -> tuple[Bucket, list[Entry]]:
    """Let in what the bucket has tokens for, of `events` that came at `now`; one answer each, in order.

    The first beyond the rate is a sample, and after it one in `sample_every`. A clock that went back fills nothing.
    """
    passed_s = max(0.0, (now - bucket.filled_at).total_seconds())
    tokens = min(float(rules.burst), bucket.tokens + passed_s * rules.rate_per_s)
    over = 0 if tokens >= rules.burst else bucket.over
    entries = []
    for _ in range(events):
        if tokens >= 1:
            tokens -= 1
            entries.append(Entry.LET_IN)
        else:
            entries.append(Entry.SAMPLE if over % rules.sample_every == 0 else Entry.OVER)
            over += 1
    return Bucket(tokens=tokens, filled_at=max(now, bucket.filled_at), over=over), entries


# -- one incident as its device tells it ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message about an incident of a device."""

    at: datetime
    ended: bool = False
    taken_back: bool = False
    heard_at: datetime
    unnumbered: bool = False  # the device numbers nothing: this is its channel and kind, which may begin again


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """All that a device has said of one incident, whatever the order in which it came."""

    first_at: datetime
    last_at: datetime
    heard_at: datetime
    ended: bool
    taken_back: bool
    messages: int


def sighting_of(message: Message) -> Sighting:
    """What is known after one message."""
    return Sighting(
        first_at=message.at, last_at=message.at, heard_at=message.heard_at, ended=message.ended,
        taken_back=message.taken_back, messages=1,
    )  # fmt: skip


def heard(sighting: Sighting | None, message: Message) -> Sighting:
    """The sighting with one message more. Any order of the same messages gives the same."""
    if sighting is None:
        return sighting_of(message)
    return Sighting(
        first_at=min(sighting.first_at, message.at),
        last_at=max(sighting.last_at, message.at),
        heard_at=max(sighting.heard_at, message.heard_at),
        ended=_has_ended(sighting, message),
        taken_back=sighting.taken_back or message.taken_back,
        messages=sighting.messages + 1,
    )


def _has_ended(sighting: Sighting, message: Message) -> bool:
    """What a device has numbered ends once; where it numbers nothing, the last word holds, of two at once the end."""
    if not message.unnumbered or message.at == sighting.last_at:
        return sighting.ended or message.ended
    return message.ended if message.at > sighting.last_at else sighting.ended


# -- what becomes of an event --------------------------------------------------------------------------


class Mode(StrEnum):
    """What the city wants of a label of a camera."""

    AUTOMATIC = "automatic"  # a case, as when a person reports it
    REVIEW = "review"  # a person looks at it first
    OFF = "off"  # nothing; it is counted


class Why(StrEnum):
    """Why nothing came of an event."""

    RATE = "rate"  # beyond the camera's rate
    CAMERA_OFF = "camera_off"
    OFF = "off"
    TAKEN_BACK = "taken_back"
    SILENCED = "silenced"
    INHIBITED = "inhibited"  # its camera cannot see
    MUTED = "muted"
    CLOSED_LATELY = "closed_lately"  # the same thing goes on, and its case was closed
    FALSE = "false"  # a person looked
    SEEN_TWICE = "seen_twice"


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What silences are held against."""

    camera: str
    kind: str
    zone: str
    target: str
    category: str
    cell: str


FIELDS: Final = ("camera", "kind", "zone", "target", "category", "cell")
"""What a silence may name, in the order of the documents."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Nothing comes of what matches: every named field must have one of its values."""

    id: UUID
    matchers: Mapping[str, Sequence[str]]
    starts_at: datetime
    ends_at: datetime


def silenced_by(silences: Iterable[Silence], traits: Traits, at: datetime) -> Silence | None:
    """The silence in force at `at` that matches, the first of several; None: none.

    A silence without matchers would silence the city: it matches nothing.
    """
    for silence in silences:
        if silence.matchers and silence.starts_at <= at < silence.ends_at and _matches(silence.matchers, traits):
            return silence
    return None


def _matches(matchers: Mapping[str, Sequence[str]], traits: Traits) -> bool:
    return all(getattr(traits, name, None) in values for name, values in matchers.items())


@dataclass(frozen=True)
class Suppressed:
    """Nothing comes of it."""

    why: Why


@dataclass(frozen=True)
class ToReview:
    """A person looks first; `why` is mode or unmapped."""

    why: str


@dataclass(frozen=True)
class ToGroup:
    """It is part of what goes on under this key, of this category."""

    key: str
    category: str


Fate = Suppressed | ToReview | ToGroup


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known about an event's camera, label and place when its fate is decided."""

    traits: Traits  # its category "" where the label stands in no map
    mode: Mode
    camera_off: bool = False
    blind: bool = False
    muted: bool = False
    taken_back: bool = False


def fate_of(known: Known, rules: Rules, silences: Iterable[Silence], at: datetime) -> Fate:
    """What becomes of an event. The first reason that fits is the one that is told.

    What says that a camera cannot see is never inhibited by it, and where the label map says nothing of it
    it becomes a case about the camera. Otherwise a label that stands in no map goes to a person.
    """
    traits, blinds = known.traits, known.traits.kind in rules.blinding
    if known.camera_off:
        return Suppressed(Why.CAMERA_OFF)
    if known.mode is Mode.OFF:
        return Suppressed(Why.OFF)
    if known.taken_back:
        return Suppressed(Why.TAKEN_BACK)
    if silenced_by(silences, traits, at) is not None:
        return Suppressed(Why.SILENCED)
    if known.blind and not blinds:
        return Suppressed(Why.INHIBITED)
    if known.muted:
        return Suppressed(Why.MUTED)
    if blinds and (traits.category or rules.storm_category):
        category = traits.category or rules.storm_category or ""
        return ToGroup(about_camera(traits.camera, category), category)
    if not traits.category:
        return ToReview("unmapped")
    if known.mode is Mode.REVIEW:
        return ToReview("mode")
    return ToGroup(at_place(traits.cell, traits.category), traits.category)


def as_its_beginning(ends: bool, came_to_nothing: str | None, goes_on: bool) -> Why | None:
    """The reason why nothing comes of an end: nothing came of what it ends. None: it is decided by itself.

    `goes_on`: the device says more of the same incident besides its end, and that stands.
    """
    return Why(came_to_nothing) if ends and came_to_nothing and not goes_on else None


def at_place(cell: str, category: str) -> str:
    """The key under which cameras that see one thing come together: where, and what."""
    return f"{cell}/{category}"


def about_camera(camera: str, category: str) -> str:
    """The key of what is wrong with a camera itself: two dead cameras on one pole are two cases."""
    return f"camera:{camera}/{category}"


def is_blind(kind: str, ended: bool, heard_at: datetime, rules: Rules, now: datetime) -> bool:
    """Whether a sighting of `kind` still says that its camera cannot see: not ended, and not silent for too long."""
    return kind in rules.blinding and not ended and now - heard_at < rules.resolve


# -- when the wait is over -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An event that waits with its group."""

    id: UUID
    camera: str
    at: datetime
    kind: str
    taken_back: bool  # its device has said so of the incident, before or after
    blind: bool  # its camera has turned out to see nothing
    follows: Why | None = None  # it only ends what came to nothing, for this reason


def after_the_wait(waiting: Sequence[Waiting], rules: Rules) -> tuple[list[Waiting], dict[UUID, Why]]:
    """Those that stand, the earliest first, and those of which nothing comes after all, with the reason."""
    left, gone = [], {}
    for each in waiting:
        if each.taken_back:
            gone[each.id] = Why.TAKEN_BACK
        elif each.blind and each.kind not in rules.blinding:
            gone[each.id] = Why.INHIBITED
        elif each.follows is not None:
            gone[each.id] = each.follows
        else:
            left.append(each)
    left.sort(key=lambda each: (each.at, each.id))
    return left, gone


class Next(StrEnum):
    """What is done with an event of a group that has its case already."""

    JOIN = "join"
    SUPPRESS = "suppress"  # its case is closed, and that not long enough ago
    OPEN_AGAIN = "open_again"


def next_of(case_over: bool, decided_at: datetime, rules: Rules, now: datetime) -> Next:
    """A case that is open takes what goes on; one that is over does not, and a new one comes `repeat` later."""
    if not case_over:
        return Next.JOIN
    return Next.OPEN_AGAIN if now - decided_at >= rules.repeat else Next.SUPPRESS


# -- how far a camera is to be trusted -----------------------------------------------------------------


def precision(real: int, false: int) -> float | None:
    """The share of its events that were real, by those who looked; None where nobody has."""
    return real / (real + false) if real + false else None


def to_be_muted(real: int, false: int, rules: Rules) -> bool:
    """Whether a camera was wrong too often with one kind of event; never before `mute_after` verdicts."""
    share = precision(real, false)
    return share is not None and real + false >= rules.mute_after and share < rules.mute_below

