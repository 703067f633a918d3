"""A city's ladders as a file (TOML) brings them, and as a file is written of them (docs/rules/escalation.md)."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gridsvc.domain.case_state import Clock
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.escalation import OWNER, After, Axis, Effect, Hearing, Rung
from gridsvc.domain.ladder import GENERAL, LadderUse
from gridsvc.domain.roster import Fault

ROLES: Final = (OWNER, "handler", "acceptor", "dispatcher", "supervisor", "admin")
DIVISION_LEVELS: Final = ("community", "street", "district", "city")
SEVERITIES: Final = ("low", "normal", "high", "emergency")
MOST_REPEATS: Final = 100
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_AFTER: Final = re.compile(r"(\d+(?:\.\d+)?) ([a-z_]+)")


@dataclass(frozen=True, kw_only=True)
class KnownOfCity:
    """What a file may name."""

    departments: frozenset[str] = frozenset()
    duty_lines: frozenset[str] = frozenset()
    divisions: frozenset[str] = frozenset()  # of the grid set in force
    holders: frozenset[str] = frozenset()  # "supervisor street": somebody has the role for such a division
    named: frozenset[str] = frozenset()  # ladders that limits, categories and call-backs name
    limited: frozenset[str] = frozenset()  # clocks for which the city has a limit, and with it a ladder


@dataclass(frozen=True, kw_only=True)
class Ladders:
    """One edition as a file says it."""

    name: str
    ladders: Mapping[str, tuple[Rung, ...]]
    uses: tuple[LadderUse, ...]


@dataclass
class _Reading:
    """What is read so far, and every fault on the way."""

    file: str
    known: KnownOfCity
    ladders: dict[str, tuple[Rung, ...]] = field(default_factory=dict)
    uses: list[LadderUse] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, where: str, given: object, wanted: str, *, refuses: bool = True) -> None:
        said = given if isinstance(given, str) else repr(given)
        self.faults.append(
            Fault(file=self.file, row=None, field=where, given=said[:80], wanted=wanted, refuses=refuses)
        )

    def one_of(self, where: str, given: object, wanted: Sequence[str]) -> str | None:
        """`given` if it is one of `wanted`; else None, and a fault."""
        if isinstance(given, str) and given in wanted:
            return given
        self.fault(where, "nothing" if given is None else repr(given), f"one of {', '.join(sorted(wanted)) or 'none'}")
        return None

    def strangers(self, where: str, table: Mapping[str, object], wanted: Sequence[str]) -> None:
        for key in sorted(table.keys() - set(wanted)):
            self.fault(where, f"the key {key!r}", f"of {', '.join(wanted)}")


def read_ladders(file: str, content: bytes, known: KnownOfCity) -> tuple[Ladders, tuple[Fault, ...]]:
    """Read a whole file; every fault is named at once, warnings (`refuses` False) among them.

    What is at fault is left out of the ladders, so the caller must look at the faults first.
    """
    reading = _Reading(file, known)
    name = ""
    try:
        told = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reading.fault("file", str(error), "TOML in UTF-8")
    else:
        name = _read(reading, told)
    return Ladders(name=name, ladders=reading.ladders, uses=tuple(reading.uses)), tuple(reading.faults)


def _read(reading: _Reading, told: Mapping[str, Any]) -> str:
    reading.strangers("file", told, ("name", "ladder", "use"))
    name = told.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isprintable():
        reading.fault("name", repr(name), "1 to 64 printable characters")
        name = ""
    written: set[str] = set()
    for number, table in enumerate(_tables(reading, "ladder", told.get("ladder")), start=1):
        _ladder(reading, f"ladder {number}", table, written)
    for number, table in enumerate(_tables(reading, "use", told.get("use", [])), start=1):
        _use(reading, f"use {number}", table, written)
    _all_there(reading, written)
    return name


def _tables(reading: _Reading, where: str, given: object) -> list[Mapping[str, Any]]:
    if isinstance(given, list) and all(isinstance(each, dict) for each in given):
        return given
    reading.fault(where, "nothing" if given is None else repr(given), f"tables, each begun with [[{where}]]")
    return []


def _ladder(reading: _Reading, where: str, table: Mapping[str, Any], written: set[str]) -> None:
    reading.strangers(where, table, ("code", "rung"))
    code = table.get("code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        reading.fault(f"{where}, code", repr(code), "a small letter, then small letters, digits and _, at most 64")
        return
    where = f"ladder {code!r}"
    if code in written:
        reading.fault(where, "the code twice", "each ladder once")
        return
    written.add(code)
    rungs: list[Rung] = []
    tables = _tables(reading, f"{where}, ladder.rung", table.get("rung"))
    for level, each in enumerate(tables, start=1):
        rung = _rung(reading, f"{where}, rung {level}", each, code, level)
        if rung is None:
            continue
        if rungs:
            _follows(reading, f"{where}, rung {level}", rungs[-1], rung)
        if rung.repeats and level < len(tables):
            reading.fault(f"{where}, rung {level}, repeats", str(rung.repeats), "repetitions of the last rung only")
        rungs.append(rung)
    reading.ladders[code] = tuple(rungs)


def _follows(reading: _Reading, where: str, before: Rung, rung: Rung) -> None:
    if rung.share is None:
        return
    if before.share is None:
        reading.fault(f"{where}, share", str(rung.share), "after: from the first rung that waits on, all wait")
    elif rung.share <= before.share:
        reading.fault(f"{where}, share", str(rung.share), f"more than {before.share:g}, the share of the rung before")


def _rung(reading: _Reading, where: str, table: Mapping[str, Any], code: str, level: int) -> Rung | None:
    so_far = len(reading.faults)
    reading.strangers(where, table, ("share", "after", "effect", "hears", "repeats"))
    share, after = table.get("share"), table.get("after")
    if (share is None) == (after is None):
        reading.fault(where, "both or none of share and after", "one of them")
    if share is not None and not (_is_number(share) and 0 <= share <= 100):
        reading.fault(f"{where}, share", share, "0 to 100: 1 is the limit itself")
    waits = None if after is None else _after(reading, where, after)
    effect = reading.one_of(f"{where}, effect", table.get("effect"), [str(each) for each in Effect])
    repeats = table.get("repeats", 0)
    if not isinstance(repeats, int) or isinstance(repeats, bool) or not 0 <= repeats <= MOST_REPEATS:
        reading.fault(f"{where}, repeats", repeats, f"0 to {MOST_REPEATS}")
    elif repeats and after is None:
        reading.fault(f"{where}, repeats", str(repeats), "after beside it: how long between two repetitions")
    hearings = _hearings(reading, where, table.get("hears"))
    if len(reading.faults) > so_far and any(fault.refuses for fault in reading.faults[so_far:]):
        return None
    first, *others = hearings
    return Rung(
        ladder=code, level=level, share=None if share is None else float(share), effect=Effect(effect or ""),
        role=first.role, division_level=first.division_level, axis=first.axis, after=waits, repeats=repeats,
        also=tuple(others),
    )  # fmt: skip


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)


def _after(reading: _Reading, where: str, given: object) -> After | None:
    units = ", ".join(LimitUnit)
    match = _AFTER.fullmatch(given) if isinstance(given, str) else None
    if match is None or match[2] not in list(LimitUnit) or not 0 < float(match[1]) <= 10_000:
        reading.fault(f"{where}, after", given, f"an amount and a unit, as '4 work_hour'; units: {units}")
        return None
    return After(amount=float(match[1]), unit=LimitUnit(match[2]))


def _hearings(reading: _Reading, where: str, given: object) -> list[Hearing]:
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        reading.fault(f"{where}, hears", given, "a list as [{role = 'supervisor', level = 'street'}]")
        return []
    heard = [_hearing(reading, f"{where}, hears", each) for each in given]
    found = [each for each in heard if each is not None]
    if len(set(found)) < len(found):
        reading.fault(f"{where}, hears", "the same twice", "each once")
    return found


def _hearing(reading: _Reading, where: str, table: Mapping[str, object]) -> Hearing | None:
    reading.strangers(where, table, ("role", "level", "axis"))
    role = reading.one_of(f"{where}, role", table.get("role"), ROLES)
    if role is None:
        return None
    if role == OWNER:
        if len(table) > 1:
            reading.fault(where, "owner with a level or an axis", "owner alone: he is where he is")
        return Hearing(role=OWNER)
    level = None
    if "level" in table:
        level = reading.one_of(f"{where}, level", table["level"], DIVISION_LEVELS)
    axis = reading.one_of(f"{where}, axis", table.get("axis", "block"), [str(each) for each in Axis])
    if axis is None or (level is None and "level" in table):
        return None
    if level is not None and f"{role} {level}" not in reading.known.holders:
        reading.fault(
            where, f"{role} of a {level}, whom nobody is", "somebody with that role; until then the next above hears",
            refuses=False,
        )  # fmt: skip
    return Hearing(role=role, division_level=level, axis=Axis(axis))


def _use(reading: _Reading, where: str, table: Mapping[str, Any], written: set[str]) -> None:
    so_far, known = len(reading.faults), reading.known
    reading.strangers(where, table, ("clock", "ladder", "severity", "division", "duty_line", "department"))
    clock = reading.one_of(f"{where}, clock", table.get("clock"), [str(each) for each in Clock])
    ladder = reading.one_of(f"{where}, ladder", table.get("ladder"), sorted(written))
    if "severity" in table:
        reading.one_of(f"{where}, severity", table["severity"], SEVERITIES)
    for key, codes, what in (
        ("division", known.divisions, "a division of the grid set in force"),
        ("duty_line", known.duty_lines, f"one of {', '.join(sorted(known.duty_lines))}"),
        ("department", known.departments, "a department of the city"),
    ):
        if key in table and not (isinstance(table[key], str) and table[key] in codes):
            reading.fault(f"{where}, {key}", table[key], what)
    if clock is None or ladder is None or len(reading.faults) > so_far:
        return
    use = LadderUse(**{**table, "clock": Clock(clock)})
    if any(_same_place(use, each) for each in reading.uses):
        reading.fault(where, "the same clock and place twice", "each once, or nobody knows which ladder holds")
    reading.uses.append(use)


def _same_place(one: LadderUse, other: LadderUse) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("clock", "severity", "division", "duty_line", "department")
    )


def _all_there(reading: _Reading, written: set[str]) -> None:
    """Every clock has its ladder, and every ladder is some clock's."""
    known = reading.known
    by_name = {str(clock) for clock in Clock if clock not in known.limited} - {str(Clock.HANDLING)}
    wanted = known.named | by_name | {GENERAL}
    for missing in sorted(wanted - written):
        clocks = f"the clock {missing!r}" if missing in by_name else "a limit, a category or a call-back"
        reading.fault("ladder", f"no {missing!r}, which {clocks} names", "every ladder that a clock stands on")
    for unused in sorted(written - wanted - {use.ladder for use in reading.uses}):
        reading.fault(f"ladder {unused!r}", "a ladder that nobody uses", "a [[use]] of it", refuses=False)


def write_ladders(name: str, ladders: Mapping[str, Sequence[Rung]], uses: Sequence[LadderUse]) -> str:
    """The same as a file that `read_ladders` reads."""
    lines = [f"name = {_text(name)}"]
    for code, rungs in sorted(ladders.items()):
        lines += ["", "[[ladder]]", f"code = {_text(code)}"]
        for rung in rungs:
            lines += ["", "  [[ladder.rung]]", *(f"  {line}" for line in _rung_lines(rung))]
    for use in uses:
        said = {key: str(value) for key, value in vars(use).items() if value is not None}
        lines += ["", "[[use]]", *(f"{key} = {_text(value)}" for key, value in said.items())]
    return "\n".join(lines) + "\n"


def _rung_lines(rung: Rung) -> list[str]:
    moment = f"share = {rung.share:g}" if rung.after is None else f"after = {_text(after_text(rung.after))}"
    hears = ", ".join(_hearing_text(each) for each in rung.hearings)
    lines = [moment, f"effect = {_text(rung.effect)}", f"hears = [{hears}]"]
    return [*lines, f"repeats = {rung.repeats}"] if rung.repeats else lines


def after_text(after: After) -> str:
    """As a file says it: `4 work_hour`."""
    return f"{after.amount:g} {after.unit}"


def _hearing_text(hearing: Hearing) -> str:
    said = {"role": hearing.role}
    if hearing.division_level is not None:
        said |= {"level": hearing.division_level}
    if hearing.role != OWNER:
        said |= {"axis": str(hearing.axis)}
    return "{ " + ", ".join(f"{key} = {_text(value)}" for key, value in said.items()) + " }"


def _text(value: str) -> str:
    return json.dumps(str(value), ensure_ascii=False)
