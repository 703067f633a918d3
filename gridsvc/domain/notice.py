"""When a notice rings: at once, gathered into a digest (汇总), or when the person's quiet hours (免打扰) end.

Rungs and reminders storm; everything else is told one by one. Nothing of this touches the rung itself: it fires on
time, and its notice is there to be read; only the ringing waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.domain.reaching import Reach

DIGEST: Final = "digest"
"""The kind of a notice that gathers others."""

GATHERED: Final = frozenset({"case.escalated", "case.reminded"})
"""Kinds that storm: rungs, and reminders by people."""

WORST: Final = 5  # cases that a digest names
_GRAVITY: Final = {"emergency": 3, "high": 2, "normal": 1, "low": 0}


@dataclass(frozen=True, kw_only=True)
class NoticeRules:
    """How many are too many, and what rings whatever the hour; the city's own (table `notice_rules`)."""

    digest_most: int = 10
    digest_window: timedelta = timedelta(minutes=10)
    undigested_severities: frozenset[str] = frozenset({"emergency"})
    loud_severities: frozenset[str] = frozenset({"emergency", "high"})
    loud_effects: frozenset[str] = frozenset()
    reach: tuple[Reach, ...] = ()  # which notices go on to other channels


@dataclass(frozen=True)
class Hours:
    """Civil times of the city's zone; `until` before `since`: over midnight."""

    since: time
    until: time

    def hold(self, at: time) -> bool:
        """Whether the wall clock's `at` lies within: from `since` on, and before `until`."""
        if self.since < self.until:
            return self.since <= at < self.until
        return at >= self.since or at < self.until


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A person as the rules of ringing see him."""

    user_id: UUID
    on_duty: bool = False
    has_own: bool = False  # he has set his quiet hours himself, `own` None: to none
    own: Hours | None = None
    by_grant: tuple[Hours | None, ...] = ()  # the city's for each of his roles
    recent: int = 0  # rungs and reminders that were kept for him within the window


class Way(StrEnum):
    """How a notice reaches its person."""

    RING = "ring"
    GATHER = "gather"
    HOLD = "hold"


def quiet_until(listener: Listener, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the quiet hours end in which the person is `now`; None where he is in none.

    Who is on duty is never quiet. Own hours count before the city's; of the city's, each of his roles must be quiet,
    and the earliest end is the end.
    """
    if listener.on_duty:
        return None
    hours = [listener.own] if listener.has_own else list(listener.by_grant)
    ends = [None if each is None else _end(each, zone, now) for each in hours]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def _end(hours: Hours, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The next moment after `now` at which the wall shows `until`; None outside of the hours.

    A time that summer time skips ends when the clocks have gone forward; one that comes twice, at the first that
    is still to come.
    """
    local = now.astimezone(zone)
    if not hours.hold(local.timetz().replace(tzinfo=None)):
        return None
    for day in (local.date(), local.date() + timedelta(days=1)):
        for fold in (0, 1):
            wall = datetime.combine(day, hours.until, zone).replace(fold=fold)
            end = wall.astimezone(UTC)
            if end > now:
                return end
    raise AssertionError("a wall clock shows every time within a day")  # pragma: no cover


def is_loud(body: Mapping[str, Any], rules: NoticeRules) -> bool:
    """Whether a notice rings in quiet hours too."""
    return (
        bool(body.get("urgent"))
        or body.get("severity") in rules.loud_severities
        or body.get("effect") in rules.loud_effects
    )


def may_be_gathered(kind: str, body: Mapping[str, Any], rules: NoticeRules) -> bool:
    """Whether a notice may stand in a digest with others."""
    return kind in GATHERED and not body.get("urgent") and body.get("severity") not in rules.undigested_severities


def ways(
    messages: Sequence[tuple[str, Mapping[str, Any]]],
    listener: Listener,
    rules: NoticeRules,
    zone: ZoneInfo,
    now: datetime,
) -> list[Way]:
    """How each of these (kind, body), which come together, reaches the person.

    Where he would hear more than the most within the window, all of them that may be are gathered: half of a batch
    as single notices would be a storm too.
    """
    quiet = quiet_until(listener, zone, now) is not None
    storming = [may_be_gathered(kind, body, rules) for kind, body in messages]
    too_many = listener.recent + sum(storming) > rules.digest_most
    return [
        Way.HOLD if quiet and not is_loud(body, rules) else Way.GATHER if too_many and storms else Way.RING
        for (_, body), storms in zip(messages, storming, strict=True)
    ]


def rings_again(last_grown: datetime, rules: NoticeRules, now: datetime) -> bool:
    """Whether a digest that grows rings anew: the storm that it told of had been over for a whole window."""
    return now - last_grown > rules.digest_window


def grown(digest: Mapping[str, Any], items: Iterable[tuple[str, Mapping[str, Any]]], *, rings: bool) -> dict[str, Any]:
    """What a digest says after it has taken `items` (kind, body): how many of each kind, and the worst by name.

    Kinds stand in the order of their oldest; the worst by severity, level and lateness. `{}` is one that is empty yet.
    """
    counts: dict[tuple[str, str | None], dict[str, Any]] = {
        (each["kind"], each["effect"]): dict(each) for each in digest.get("by_kind", ())
    }
    worst = [dict(each) for each in digest.get("worst", ())]
    count = digest.get("count", 0)
    for kind, body in items:
        count += 1
        effect, at = body.get("effect"), body.get("at")
        entry = counts.setdefault((kind, effect), {"kind": kind, "effect": effect, "count": 0, "oldest_at": at})
        entry["count"] += 1
        entry["oldest_at"] = min(entry["oldest_at"], at, key=_moment)
        worst.append({name: body.get(name) for name in _NAMED} | {"kind": kind})
    worst.sort(key=_badness, reverse=True)
    return {
        "count": count,
        "by_kind": sorted(counts.values(), key=lambda each: _moment(each["oldest_at"])),
        "worst": worst[:WORST],
        "rings": rings,
    }


_NAMED: Final = ("case_id", "number", "category", "severity", "state", "clock", "level", "effect", "late_by_s", "at")


def _badness(item: Mapping[str, Any]) -> tuple[int, int, float]:
    return _GRAVITY.get(str(item.get("severity")), 0), item.get("level") or 0, item.get("late_by_s") or 0.0


def _moment(text: str | None) -> datetime:
    return datetime.max.replace(tzinfo=UTC) if text is None else datetime.fromisoformat(text)
