"""Shifts: when an officer works by the roster, in the city's civil time, over midnight too.

`officers.on_duty` is the switch that routing reads; a shift never turns it on. A shift that has ended
turns it off after GRACE, unless the officer switched it on again after that end (overtime).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

GRACE: Final = timedelta(minutes=15)
"""How long after a shift's end the switch stays on: a job is finished, a report is typed."""

_WEEK: Final = 7
_DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, order=True)
class Shift:
    """One working span of every week. `ends_at` not after `starts_at`: it passes midnight."""

    weekday: int  # ISO: 1 Monday
    starts_at: time
    ends_at: time

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The span that begins on `day`, as moments.

        A civil time that does not exist or exists twice that day is taken with the offset that was in
        force before the change.
        """
        until = day if self.ends_at > self.starts_at else day + timedelta(days=1)
        return datetime.combine(day, self.starts_at, zone), datetime.combine(until, self.ends_at, zone)


class BadShift(ValueError):
    """A roster text that cannot be read; `given` is the piece at fault, `wanted` says what is meant."""

    def __init__(self, given: str, wanted: str) -> None:
        super().__init__(f"given {given!r}; want {wanted}")
        self.given = given
        self.wanted = wanted


def on_shift(shifts: Iterable[Shift], moment: datetime, zone: ZoneInfo) -> bool:
    """Whether `moment` lies inside one of `shifts`. A start belongs to its shift, an end does not."""
    today = moment.astimezone(zone).date()
    return any(
        start <= moment < end
        for shift in shifts
        for start, end in _spans(shift, today, back=1, zone=zone)
    )  # fmt: skip


def span_at(shifts: Iterable[Shift], moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """When the shift of `moment` began and when it ends; shifts that meet are one. None off shift."""
    today = moment.astimezone(zone).date()
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(span for s in shifts for span in _spans(s, today + timedelta(days=1), back=2, zone=zone)):
        if merged and merged[-1][1] == start:
            merged[-1] = merged[-1][0], end
        else:
            merged.append((start, end))
    return next((span for span in merged if span[0] <= moment < span[1]), None)


def next_start(shifts: Iterable[Shift], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When the next shift after `moment` begins; None without shifts."""
    today = moment.astimezone(zone).date()
    starts = [
        start
        for shift in shifts
        for start, _ in _spans(shift, today + timedelta(days=_WEEK), back=_WEEK, zone=zone)
        if start > moment
    ]  # fmt: skip
    return min(starts, default=None)


def last_end(shifts: Iterable[Shift], moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When the latest shift that is over at `moment` ended; None without shifts."""
    today = moment.astimezone(zone).date()
    ends = [
        end
        for shift in shifts
        for _, end in _spans(shift, today, back=_WEEK + 1, zone=zone)
        if end <= moment
    ]  # fmt: skip
    return max(ends, default=None)


def duty_has_ended(shifts: Sequence[Shift], switched_at: datetime | None, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether an officer who is switched on at `moment` should be switched off by the roster.

    `switched_at` is when the switch last moved. Without shifts there is no roster: never.
    """
    if on_shift(shifts, moment, zone):
        return False
    end = last_end(shifts, moment, zone)
    if end is None or moment - end < GRACE:
        return False
    return switched_at is None or switched_at < end


def _spans(shift: Shift, today: date, *, back: int, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    latest = (today.isoweekday() - shift.weekday) % _WEEK
    return [shift.on(today - timedelta(days=n), zone) for n in range(latest, back + 1, _WEEK)]


_WIDE: Final = str.maketrans("；：，－–—～", ";:,----")
_DAYS: Final = re.compile(r"^([1-7])(?:-([1-7]))?$")
_SPAN: Final = re.compile(r"^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$")
_FORM: Final = "days and times such as '1-5 08:00-12:00 14:00-18:00; 6 09:00-12:00' (1 is Monday)"


def read_shifts(text: str) -> tuple[Shift, ...]:
    """Read a roster text: groups apart by `;`, each of days (`1-5` or `1,3,6`) and times.

    Full-width signs count as plain ones. `24:00` is the next midnight. Empty text: no shifts.
    Raises BadShift, for two shifts that overlap too, across midnight and the end of the week.
    """
    shifts = sorted(shift for group in text.translate(_WIDE).split(";") for shift in _group(group))
    _refuse_overlap(shifts)
    return tuple(shifts)


def _group(group: str) -> list[Shift]:
    words = group.split()
    if not words:
        return []
    if len(words) < 2:
        raise BadShift(group.strip(), _FORM)
    spans = [_span(word) for word in words[1:]]
    return [Shift(day, start, end) for day in _days(words[0]) for start, end in spans]


def _days(word: str) -> list[int]:
    days: list[int] = []
    for piece in word.split(","):
        match = _DAYS.match(piece)
        if match is None:
            raise BadShift(word, "days such as 1-5 or 1,3,6, from 1 (Monday) to 7 (Sunday)")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise BadShift(word, f"the lower day first; for {first} to 7 and 1 to {last} write {first}-7,1-{last}")
        days.extend(range(first, last + 1))
    return sorted(set(days))


def _span(word: str) -> tuple[time, time]:
    match = _SPAN.match(word)
    if match is None:
        raise BadShift(word, "a span such as 08:00-12:00")
    start, end = _civil(match[1], match[2], word), _civil(match[3], match[4], word)
    if start == end:
        raise BadShift(word, "an end that differs from the start")
    return start, end


def _civil(hours: str, minutes: str, word: str) -> time:
    hour, minute = int(hours), int(minutes)
    if (hour, minute) == (24, 0):
        return time(0, 0)
    if hour > 23 or minute > 59:
        raise BadShift(word, "times from 00:00 to 24:00")
    return time(hour, minute)


def _refuse_overlap(shifts: Sequence[Shift]) -> None:
    spans = sorted((*_minutes(shift), shift) for shift in shifts)
    for (_, end, before), (start, _, after) in pairwise(spans):
        if start < end:
            raise BadShift(_words(after), f"shifts that do not overlap; {_words(before)} is there already")
    if len(spans) > 1 and spans[-1][1] > spans[0][0] + _WEEK * _DAY_MINUTES:
        raise BadShift(_words(spans[0][2]), f"shifts that do not overlap; {_words(spans[-1][2])} runs into it")


def _minutes(shift: Shift) -> tuple[int, int]:
    start = (shift.weekday - 1) * _DAY_MINUTES + shift.starts_at.hour * 60 + shift.starts_at.minute
    end = (shift.weekday - 1) * _DAY_MINUTES + shift.ends_at.hour * 60 + shift.ends_at.minute
    return start, end if end > start else end + _DAY_MINUTES


def _words(shift: Shift) -> str:
    return f"{shift.weekday} {shift.starts_at:%H:%M}-{shift.ends_at:%H:%M}"
