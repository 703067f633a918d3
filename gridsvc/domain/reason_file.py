"""A city's own reasons as a file brings them (docs/rules/reasons.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gridsvc.domain.reasons import OTHER, REASONS, Reason, Reasons
from gridsvc.domain.roster import Fault
from gridsvc.domain.sheet import Sheet, Unreadable, read_csv, tidy


@dataclass(frozen=True, kw_only=True)
class OwnReason:
    """One row: a reason of the city's own, or whether one of the common lists is in use."""

    move: str
    code: str
    name: str
    name_en: str
    wants_words: bool
    active: bool


@dataclass(frozen=True, kw_only=True)
class ReadReasons:
    """What a file holds without the rows at fault, and the faults."""

    reasons: tuple[OwnReason, ...]
    faults: tuple[Fault, ...]


_NAMES: Final = {
    "move": "move", "操作": "move", "code": "code", "代码": "code", "name": "name", "名称": "name",
    "name_en": "name_en", "英文名称": "name_en", "wants_words": "wants_words", "须说明": "wants_words",
    "active": "active", "启用": "active",
}  # fmt: skip
_YES_OR_NO: Final = {"yes": True, "是": True, "no": False, "否": False}
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class _Wrong(ValueError):
    def __init__(self, field: str, given: str, wanted: str) -> None:
        super().__init__(field)
        self.field, self.given, self.wanted = field, given, wanted


def read_reasons(file: str, content: bytes, known: Reasons) -> ReadReasons:
    """Read every row of a CSV file; one at fault is left out and named. The header is row 1.

    `known` are the city's reasons until now: a code that is there keeps its meaning.
    """
    try:
        sheet = read_csv(file, content)
    except Unreadable as unreadable:
        return _nothing(file, None, unreadable.given, unreadable.wanted)
    columns = {_NAMES[name]: at for at, cell in enumerate(sheet.rows[0] if sheet.rows else ())
               if (name := tidy(cell).lower()) in _NAMES}  # fmt: skip
    missing = [name for name in ("move", "code", "name") if name not in columns]
    if missing:
        return _nothing(file, 1, f"no column {missing[0]!r}", "at least move, code and name (操作, 代码, 名称)")
    found: dict[tuple[str, str], OwnReason] = {}
    faults: list[Fault] = []
    for row in range(1, len(sheet.rows)):
        cells = _cells(sheet, row, columns)
        if not any(cells.values()):
            continue
        try:
            read = _reason(cells, known)
            if (read.move, read.code) in found:
                raise _Wrong("code", f"{read.code!r} of {read.move} twice", "each code once")
        except _Wrong as wrong:
            faults.append(Fault(file=file, row=row + 1, field=wrong.field, given=wrong.given, wanted=wrong.wanted))
        else:
            found[read.move, read.code] = read
    return ReadReasons(reasons=tuple(found.values()), faults=tuple(faults))


def _nothing(file: str, row: int | None, given: str, wanted: str) -> ReadReasons:
    return ReadReasons(reasons=(), faults=(Fault(file=file, row=row, field=None, given=given, wanted=wanted),))


def _cells(sheet: Sheet, row: int, columns: Mapping[str, int]) -> dict[str, str]:
    return {name: tidy(sheet.text(row, at)) for name, at in columns.items()}


def _reason(cells: Mapping[str, str], known: Reasons) -> OwnReason:
    move, code = cells["move"], cells["code"]
    if move not in REASONS:
        raise _Wrong("move", repr(move[:40]), f"a move that has reasons: {', '.join(REASONS)}")
    if not _CODE.fullmatch(code):
        raise _Wrong("code", repr(code[:40]), "a small letter, then small letters, digits and _, at most 64")
    name, name_en = cells["name"], cells.get("name_en", "")
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise _Wrong("name", repr(name[:40]), "1 to 64 printable characters")
    read = OwnReason(
        move=move, code=code, name=name, name_en=name_en or name,
        wants_words=_yes_or_no(cells, "wants_words", default=False), active=_yes_or_no(cells, "active", default=True),
    )  # fmt: skip
    _keeps_its_meaning(read, known)
    return read


def _keeps_its_meaning(read: OwnReason, known: Reasons) -> None:
    if read.code == OTHER.code and not read.active:
        raise _Wrong("active", "no", f"yes: whoever finds no reason says {OTHER.code!r} and his own words")
    before = next((each for each in known.get(read.move, ()) if each.code == read.code), None)
    if before is not None and _meaning(before) != _meaning(read):
        raise _Wrong(
            "code", f"{read.code!r}, which is {before.name!r}, with another meaning",
            "a new code: one that is there keeps its names, and is switched off with active no",
        )  # fmt: skip


def _meaning(reason: Reason | OwnReason) -> tuple[str, str, bool]:
    return reason.name, reason.name_en, reason.wants_words


def _yes_or_no(cells: Mapping[str, str], field: str, *, default: bool) -> bool:
    text = cells.get(field, "").lower()
    if text and text not in _YES_OR_NO:
        raise _Wrong(field, repr(text[:40]), "yes or no (是, 否)")
    return _YES_OR_NO.get(text, default)
