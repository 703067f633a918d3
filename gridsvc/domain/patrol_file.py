"""Patrol plans as a file brings them (docs/rules/patrols.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gridsvc.domain.roster import Fault
from gridsvc.domain.sheet import Unreadable, read_csv, tidy
from gridsvc.domain.shift import BadShift, read_shifts
from gridsvc.domain.visit_file import YES_OR_NO, Wrong, choice, columns_of


@dataclass(frozen=True, kw_only=True)
class PlannedPatrol:
    """One row: which cells of a beat are walked in which shifts, how often. No `cells`: all of the beat."""

    row: int
    code: str
    duty_line: str
    beat: str
    shifts: str
    cells: tuple[str, ...]
    times: int
    stay: timedelta
    warn: timedelta
    active: bool


@dataclass(frozen=True, kw_only=True)
class ReadPatrols:
    """What a file holds without the rows at fault, and the faults."""

    plans: tuple[PlannedPatrol, ...]
    faults: tuple[Fault, ...]


_NAMES: Final = {
    "code": "code", "代码": "code", "duty_line": "duty_line", "条线": "duty_line", "beat": "beat", "责任网格": "beat",
    "shifts": "shifts", "班次": "shifts", "cells": "cells", "单元网格": "cells", "times": "times", "次数": "times",
    "stay_min": "stay_min", "停留分钟": "stay_min", "warn_min": "warn_min", "提醒分钟": "warn_min",
    "active": "active", "启用": "active",
}  # fmt: skip
_NEEDED: Final = ("code", "duty_line", "beat", "shifts")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,47}")


def read_patrols(file: str, content: bytes, beats: Mapping[tuple[str, str], frozenset[str]]) -> ReadPatrols:
    """Read every row of a CSV file; one at fault is left out and named. The header is row 1.

    `beats` are those of the grid set in force with their cells, by duty line and code.
    """
    try:
        sheet = read_csv(file, content)
    except Unreadable as unreadable:
        return _nothing(file, None, unreadable.given, unreadable.wanted)
    columns = columns_of(sheet, _NAMES)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        return _nothing(file, 1, f"no column {missing[0]!r}", f"at least {', '.join(_NEEDED)}")
    found: dict[str, PlannedPatrol] = {}
    faults: list[Fault] = []
    for row in range(1, len(sheet.rows)):
        cells = {name: tidy(sheet.text(row, at)) for name, at in columns.items()}
        if not any(cells.values()):
            continue
        try:
            read = _plan(row + 1, cells, beats)
            if read.code in found:
                raise Wrong("code", f"{read.code!r} of row {found[read.code].row} again", "each code once")
        except Wrong as wrong:
            faults.append(Fault(file=file, row=row + 1, field=wrong.field, given=wrong.given, wanted=wrong.wanted))
        else:
            found[read.code] = read
    return ReadPatrols(plans=tuple(found.values()), faults=tuple(faults))


def _nothing(file: str, row: int | None, given: str, wanted: str) -> ReadPatrols:
    return ReadPatrols(plans=(), faults=(Fault(file=file, row=row, field=None, given=given, wanted=wanted),))


def _plan(
    row: int, cells: Mapping[str, str], beats: Mapping[tuple[str, str], frozenset[str]]
) -> PlannedPatrol:
    if not _CODE.fullmatch(cells["code"]):
        raise Wrong("code", repr(cells["code"][:60]), "1 to 48 letters, digits, _ and -")
    line, beat = cells["duty_line"], cells["beat"]
    if (line, beat) not in beats:
        raise Wrong("beat", f"{line[:20]!r}, {beat[:40]!r}", "a duty line and a beat of the grid set in force")
    try:
        shifts = read_shifts(cells["shifts"])
    except BadShift as bad:
        raise Wrong("shifts", repr(bad.given[:60]), bad.wanted) from None
    if not shifts:
        raise Wrong("shifts", "''", "days and times such as '1-5 08:00-12:00 14:00-18:00' (1 is Monday)")
    wanted = tuple(dict.fromkeys(code for each in re.split("[;；]", cells.get("cells", "")) if (code := each.strip())))
    strange = [code for code in wanted if code not in beats[line, beat]]
    if strange:
        raise Wrong("cells", repr(strange[0][:40]), f"cells of the beat {beat}, with ; between them")
    return PlannedPatrol(
        row=row, code=cells["code"], duty_line=line, beat=beat, shifts=cells["shifts"], cells=wanted,
        times=_number(cells, "times", 1, 1, 20),
        stay=timedelta(minutes=_number(cells, "stay_min", 1, 0, 120)),
        warn=timedelta(minutes=_number(cells, "warn_min", 60, 5, 480)),
        active=choice(cells, "active", YES_OR_NO, "yes or no (是, 否)"),
    )  # fmt: skip


def _number(cells: Mapping[str, str], field: str, default: int, least: int, most: int) -> int:
    text = cells.get(field, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 4 or not least <= int(text) <= most:
        raise Wrong(field, repr(text[:20]), f"a whole number from {least} to {most}")
    return int(text)
