"""The table of moves as `docs/states.md` states it: the law that the code is held against."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gridsvc.domain.case import MOVES, Rule
from gridsvc.domain.case_state import Clock, Move, State
from gridsvc.domain.reasons import REASONS

PAGE: Final = Path(__file__).parents[3] / "docs/states.md"

WHO_HEAD: Final = ("move", "from", "to", "by", "over HTTP", "what it means")
WHAT_HEAD: Final = ("move", "must say", "may say", "conditions", "stops", "starts", "then waits in", "announced as")

REASONS_HEAD: Final = ("move", "code", "中文", "English", "wants words")

NONE: Final = "–"
EVERY: Final = "every clock"


@dataclass(frozen=True)
class WrittenRule:
    """One move as the page states it; every field as written, sets of words as sets."""

    move: str
    before: frozenset[str]
    after: str | None
    by: frozenset[str]
    over_http: bool
    says: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    guards: tuple[str, ...]
    stops: frozenset[str]
    starts: frozenset[str]
    pool: str | None
    tells: str


def written_rules() -> dict[str, WrittenRule]:
    """The rules that the page states, in its order."""
    text = PAGE.read_text(encoding="utf-8")
    what = {row[0]: row for row in table_under(text, WHAT_HEAD)}
    rules = {}
    for move, before, after, by, over_http, says in table_under(text, WHO_HEAD):
        _, needs, takes, guards, stops, starts, pool, tells = what[move]
        rules[_word(move)] = WrittenRule(
            move=_word(move),
            before=frozenset(_words(before)),
            after=_one(after),
            by=frozenset(_words(by)),
            over_http=over_http == "yes",
            says=says,
            needs=_words(needs),
            takes=_words(takes),
            guards=_words(guards),
            stops=frozenset(str(clock) for clock in Clock) if stops == EVERY else frozenset(_words(stops)),
            starts=frozenset(_words(starts)),
            pool=_one(pool),
            tells=_word(tells),
        )
    return rules


def written_arrows() -> set[tuple[str, str, str]]:
    """(from, to, move) of every arrow that the page draws; '[*]' is where a case is born."""
    text = PAGE.read_text(encoding="utf-8")
    drawn = re.findall(r"^\s+(\S+) --> (\S+): (.+)$", text, re.MULTILINE)
    return {(before, after, move.strip()) for before, after, moves in drawn for move in moves.split(",")}


def tables_of_the_code() -> str:
    """Both tables as the code would have them, to be put into the page when the law is changed on purpose."""
    who = [_row(WHO_HEAD), _row("---" for _ in WHO_HEAD)]
    what = [_row(WHAT_HEAD), _row("---" for _ in WHAT_HEAD)]
    for rule in MOVES.values():
        who.append(
            _row((_code([rule.move]), _code(_in_order(rule)), _code([rule.after or NONE]), _code(sorted(rule.by)),
                  "yes" if rule.over_http else _not_over_http(rule), rule.says))
        )  # fmt: skip
        stops = EVERY if set(rule.stops) == set(Clock) else _code(rule.stops)
        what.append(
            _row((_code([rule.move]), _code(rule.needs), _code(rule.takes), _code(g.__name__ for g in rule.guards),
                  stops, _code(rule.starts), _code([rule.pool or NONE]), _code([rule.tells.TYPE])))
        )  # fmt: skip
    return "\n".join([*who, "", *what])


def reasons_of_the_code() -> str:
    """The table of reasons as the code would have it."""
    rows = [_row(REASONS_HEAD), _row("---" for _ in REASONS_HEAD)]
    rows += [
        _row((_code([move]), _code([each.code]), each.name, each.name_en, "yes" if each.wants_words else NONE))
        for move, reasons in REASONS.items()
        for each in reasons
    ]
    return "\n".join(rows)


def table_under(text: str, head: Iterable[str]) -> list[list[str]]:
    """The cells of the table whose head row is `head`; empty where there is none."""
    lines = text.splitlines()
    if _row(head) not in lines:
        return []
    rows = []
    for line in lines[lines.index(_row(head)) + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _not_over_http(rule: Rule) -> str:
    if not rule.before:
        return NONE
    return {Move.UNDO: "in bulk", Move.VISIT: "of its visit"}.get(rule.move, "workers only")


def _in_order(rule: Rule) -> list[str]:
    return [state for state in State if state in rule.before]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(words: Iterable[str]) -> str:
    return " ".join(NONE if word == NONE else f"`{word}`" for word in words) or NONE


def _words(cell: str) -> tuple[str, ...]:
    return () if cell == NONE else tuple(_word(word) for word in cell.split())


def _one(cell: str) -> str | None:
    return None if cell == NONE else _word(cell)


def _word(cell: str) -> str:
    return cell.strip("`")
