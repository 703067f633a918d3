"""How a notice goes on where nobody acknowledges it: channel after channel, and what becomes of each try (触达).

The app's socket comes first, always. What a rule names goes on to the person's other channels in their order, each
after its time, and at last the desk hears that he was not reached (docs/rules/channels.md).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MOST_TRIES: Final = 4
"""Of one channel for one notice: at once and after 5, 15 and 45 s. Then the next channel is tried."""

FIRST_WAIT: Final = timedelta(seconds=5)

LEASE: Final = timedelta(seconds=60)
"""How long a try belongs to the worker that sends it. One that dies in between is followed by another, which sends
the same try again, with the same key."""

DEAD_AFTER: Final = 5
"""Failures in a row after which a channel rests."""

RESTS: Final = timedelta(minutes=2)

SHORTEST_S: Final = 10
LONGEST_S: Final = 86_400


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Which notices go on, and after how long without an acknowledgement. No kinds: all; no severities: all."""

    kinds: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    urgent: bool = False  # only what is urgent
    after_s: int = 120


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way to a person beside the app, as one of his."""

    code: str
    place: int
    rests_until: datetime | None = None


class Next(StrEnum):
    """What happens to a notice whose time has come, where it does not go to a channel."""

    REACHED = "reached"  # it was acknowledged
    OVER = "over"  # its case is over: nobody has to hear any more
    NOT_REACHED = "not_reached"


def next_channel(
    channels: Iterable[Channel], last: int, now: datetime, *, acknowledged: bool, over: bool
) -> Channel | Next:
    """The person's next channel after the place `last`, in their order; one that rests is passed over."""
    if acknowledged:
        return Next.REACHED
    if over:
        return Next.OVER
    further = [each for each in channels if each.place > last and (each.rests_until is None or each.rests_until <= now)]
    return min(further, key=lambda each: (each.place, each.code), default=Next.NOT_REACHED)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a try. `hopeless`: sending it again would change nothing; `not_before`: nor would it earlier."""

    said: str
    good: bool = False
    hopeless: bool = False
    not_before: datetime | None = None


def again_at(tries: int, now: datetime) -> datetime | None:
    """When a channel that failed for the `tries`-th time is tried again; None: no more."""
    return None if tries >= MOST_TRIES else now + FIRST_WAIT * 3 ** (tries - 1)


def rests_until(failures: int, now: datetime) -> datetime | None:
    """Until when a channel rests that has failed so often in a row; None: it does not."""
    return now + RESTS if failures >= DEAD_AFTER else None


FIELDS: Final = ("address", "text", "text_en", "number", "kind", "severity", "notice")
"""What a template may name, in braces."""


def rendered(template: object, fields: Mapping[str, str]) -> object:
    """The template (parsed JSON) with its fields, in strings alone: no value can end the string that it stands in."""
    match template:
        case str():
            for name in FIELDS:
                template = template.replace("{" + name + "}", fields[name])
            return template
        case list():
            return [rendered(each, fields) for each in template]
        case dict():
            return {name: rendered(each, fields) for name, each in template.items()}
    return template


def faults_of_template(written: str) -> list[str]:
    """What is wrong with a template as it is written; empty where nothing is."""
    try:
        template = json.loads(written)
    except ValueError as error:
        return [f"it is not JSON: {error}"]
    if not isinstance(template, dict):
        return ["it is no JSON object"]
    if "{address}" not in written:
        return ["it never names {address}"]
    return []


def fields_of(kind: str, body: Mapping[str, object], notice: str, address: str) -> dict[str, str]:
    """What a gateway is told: that something waits, of which case, and no word of a resident or a place."""
    number = str(body.get("number") or "")
    of_case, of_case_en = (f"（案卷 {number}）", f" (case {number})") if number else ("", "")
    return {
        "address": address,
        "text": f"网格化平台：您有一条未确认的通知{of_case}，请打开应用查看。",
        "text_en": f"Grid service: a notice waits for you{of_case_en}. Please open the app.",
        "number": number,
        "kind": kind,
        "severity": str(body.get("severity") or ""),
        "notice": notice,
    }


def masked(address: str) -> str:
    """An address as it may be shown: its first three and last two characters, of a short one nothing."""
    return "*" * len(address) if len(address) < 8 else address[:3] + "*" * (len(address) - 5) + address[-2:]


def faults_of_reach(told: Mapping[str, object], severities: Sequence[str], kinds: Collection[str]) -> list[str]:
    """What is wrong with one rule as a file has it."""
    faults = [f"the key {key!r}" for key in sorted(told.keys() - {"kinds", "severities", "urgent", "after_s"})]
    for name, known in (("kinds", kinds), ("severities", severities)):
        given = told.get(name, [])
        if not isinstance(given, list) or not all(each in known for each in given):
            faults.append(f"{name} = {given!r}")
    if not isinstance(told.get("urgent", False), bool):
        faults.append(f"urgent = {told['urgent']!r}")
    after_s = told.get("after_s", 120)
    if not isinstance(after_s, int) or isinstance(after_s, bool) or not SHORTEST_S <= after_s <= LONGEST_S:
        faults.append(f"after_s = {after_s!r}")
    return faults
