"""The city's rules of ringing as a file (TOML) brings them (docs/rules/notices.md)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final

from events.catalog import CATALOG
from gridsvc.domain.access import Role
from gridsvc.domain.escalation import Effect
from gridsvc.domain.ladder_file import SEVERITIES
from gridsvc.domain.notice import Hours, NoticeRules
from gridsvc.domain.reaching import Reach, faults_of_reach
from gridsvc.domain.roster import Fault

_ALWAYS: Final = "emergency"
_LISTS: Final = {
    "undigested_severities": SEVERITIES, "loud_severities": SEVERITIES, "loud_effects": tuple(map(str, Effect)),
}  # fmt: skip
_KINDS: Final = frozenset(CATALOG)
_COUNTS: Final = {"digest_most": (1, 1_000), "digest_window_s": (60, 86_400)}


@dataclass(frozen=True, kw_only=True)
class QuietDefault:
    """When a role is quiet, in a division and all below it (None: everywhere)."""

    role: str
    division: str | None
    hours: Hours


@dataclass
class _Reading:
    file: str
    divisions: Collection[str]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, where: str, given: object, wanted: str) -> None:
        said = given if isinstance(given, str) else repr(given)
        self.faults.append(Fault(file=self.file, row=None, field=where, given=said[:80], wanted=wanted))


def read_notice_rules(
    file: str, content: bytes, divisions: Collection[str]
) -> tuple[NoticeRules, tuple[QuietDefault, ...], tuple[Fault, ...]]:
    """Read a whole file; every fault is named at once. What a file leaves out is as a new city has it."""
    reading = _Reading(file, divisions)
    told: dict[str, Any] = {}
    try:
        told = tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reading.fault("file", str(error), "TOML in UTF-8")
    for key in sorted(told.keys() - {*_LISTS, *_COUNTS, "quiet", "reach"}):
        reading.fault("file", f"the key {key!r}", f"of {', '.join([*_COUNTS, *_LISTS, 'quiet', 'reach'])}")
    new = NoticeRules()
    rules = NoticeRules(
        digest_most=_count(reading, told, "digest_most", new.digest_most),
        digest_window=timedelta(
            seconds=_count(reading, told, "digest_window_s", int(new.digest_window.total_seconds()))
        ),
        undigested_severities=_list(reading, told, "undigested_severities", new.undigested_severities),
        loud_severities=_list(reading, told, "loud_severities", new.loud_severities),
        loud_effects=_list(reading, told, "loud_effects", new.loud_effects),
        reach=tuple(_reach(reading, told.get("reach", []))),
    )
    return rules, tuple(_defaults(reading, told.get("quiet", []))), tuple(reading.faults)


def _count(reading: _Reading, told: Mapping[str, Any], name: str, default: int) -> int:
    given, (least, most) = told.get(name, default), _COUNTS[name]
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        reading.fault(name, given, f"{least} to {most}")
        return default
    return given


def _list(reading: _Reading, told: Mapping[str, Any], name: str, default: frozenset[str]) -> frozenset[str]:
    given = told.get(name, sorted(default))
    if not isinstance(given, list) or not all(each in _LISTS[name] for each in given):
        reading.fault(name, given, f"a list of {', '.join(_LISTS[name])}")
        return default
    if _LISTS[name] is SEVERITIES and _ALWAYS not in given:
        reading.fault(name, given, f"{_ALWAYS} among them: it is never gathered and always rings")
    return frozenset(given)


def _reach(reading: _Reading, given: object) -> list[Reach]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        reading.fault("reach", given, "tables, each begun with [[reach]]")
        return []
    found = []
    for number, table in enumerate(given, start=1):
        faults = faults_of_reach(table, SEVERITIES, _KINDS)
        for fault in faults:
            reading.fault(f"reach {number}", fault, "kinds, severities, urgent, after_s of 10 to 86400")
        if not faults:
            lists = {name: tuple(table.get(name, ())) for name in ("kinds", "severities")}
            found.append(Reach(**lists, urgent=table.get("urgent", False), after_s=table.get("after_s", 120)))
    return found


def _defaults(reading: _Reading, given: object) -> list[QuietDefault]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        reading.fault("quiet", given, "tables, each begun with [[quiet]]")
        return []
    found: dict[tuple[str, str | None], QuietDefault] = {}
    for number, table in enumerate(given, start=1):
        read = _default(reading, f"quiet {number}", table)
        if read is None:
            continue
        if (read.role, read.division) in found:
            reading.fault(f"quiet {number}", "the same role and division twice", "each once")
        found[read.role, read.division] = read
    return list(found.values())


def _default(reading: _Reading, where: str, table: Mapping[str, Any]) -> QuietDefault | None:
    so_far = len(reading.faults)
    for key in sorted(table.keys() - {"role", "division", "from", "until"}):
        reading.fault(where, f"the key {key!r}", "of role, division, from, until")
    role, division = table.get("role"), table.get("division")
    if role not in list(Role):
        reading.fault(f"{where}, role", role, f"one of {', '.join(Role)}")
    if division is not None and division not in reading.divisions:
        reading.fault(f"{where}, division", division, "a division of the grid set in force")
    since, until = _time(reading, where, table, "from"), _time(reading, where, table, "until")
    if since is not None and since == until:
        reading.fault(f"{where}, until", table["until"], "another time than from")
    if len(reading.faults) > so_far or since is None or until is None:
        return None
    return QuietDefault(role=str(role), division=division, hours=Hours(since, until))


def _time(reading: _Reading, where: str, table: Mapping[str, Any], name: str) -> time | None:
    given = table.get(name)
    try:
        return datetime.strptime(str(given), "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone
    except ValueError:
        reading.fault(f"{where}, {name}", given, "HH:MM, 00:00 to 23:59")
        return None


def write_notice_rules(rules: NoticeRules, defaults: Sequence[QuietDefault]) -> str:
    """The same as a file that `read_notice_rules` reads."""
    lines = [f"digest_most = {rules.digest_most}", f"digest_window_s = {int(rules.digest_window.total_seconds())}"]
    lines += [f"{name} = {json.dumps(sorted(getattr(rules, name)))}" for name in _LISTS]
    for rule in rules.reach:
        lines += ["", "[[reach]]", f"kinds = {json.dumps(list(rule.kinds))}"]
        lines += [f"severities = {json.dumps(list(rule.severities))}", f"urgent = {json.dumps(rule.urgent)}"]
        lines += [f"after_s = {rule.after_s}"]
    for each in defaults:
        lines += ["", "[[quiet]]", f"role = {json.dumps(each.role)}"]
        lines += [f"division = {json.dumps(each.division)}"] if each.division is not None else []
        lines += [f'from = "{each.hours.since:%H:%M}"', f'until = "{each.hours.until:%H:%M}"']
    return "\n".join(lines) + "\n"
