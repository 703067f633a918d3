"""The people of a city as tables: what a departments or people file may say, and everything wrong with one.

Columns, examples and rules for whoever writes such a file: docs/people-import.md.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from gridsvc.domain.access import Grant, Role
from gridsvc.domain.shift import BadShift, Shift, read_shifts

T = TypeVar("T")

MOST_OPEN: Final = 12
"""Open cases that one officer may hold where the file does not say."""

_MOST_ROWS: Final = 200_000  # four times the officers of the largest city known; beyond it the file is a mistake


@dataclass(frozen=True, kw_only=True)
class Department:
    """One handling department."""

    code: str
    name: str
    name_en: str
    duty_line: str


@dataclass(frozen=True, kw_only=True)
class Team:
    """One named team of officers of a duty line."""

    code: str
    name: str
    name_en: str
    duty_line: str


@dataclass(frozen=True, kw_only=True)
class Post:
    """What makes a person an officer."""

    duty_line: str
    beats: tuple[str, ...]
    most_open: int
    shifts: tuple[Shift, ...]
    skills: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person:
    """One user with all roles. `password` is an initial one, None where the file has none."""

    username: str
    display_name: str
    password: str | None
    grants: tuple[Grant, ...]
    post: Post | None


@dataclass(frozen=True, kw_only=True)
class Known:
    """What rows may name: as kept already, and of the grid set in force. `beats` maps (line, code) to division."""

    duty_lines: frozenset[str]
    departments: frozenset[str]
    divisions: Mapping[str, tuple[str, ...]]  # code -> codes from the top down to it
    beats: Mapping[tuple[str, str], str]
    teams: Mapping[str, str] = field(default_factory=dict)  # code -> duty line


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing wrong with a file. `refuses` False: a warning, the row is taken."""

    file: str
    row: int | None  # the header is row 1
    field: str | None
    given: str
    wanted: str
    refuses: bool = True

    def __str__(self) -> str:
        where = self.file
        where += f", row {self.row}" if self.row else ""
        where += f", field {self.field}" if self.field else ""
        return f"{where}: given {self.given}; want {self.wanted}"


@dataclass(frozen=True, kw_only=True)
class Roster:
    """What the files hold without the rows at fault, and the faults."""

    departments: tuple[Department, ...]
    people: tuple[Person, ...]
    faults: tuple[Fault, ...]
    teams: tuple[Team, ...] = ()

    @property
    def refused(self) -> tuple[Fault, ...]:
        """The faults that keep a row out."""
        return tuple(fault for fault in self.faults if fault.refuses)


_DEPARTMENT_COLUMNS: Final = ("code", "name", "name_en", "duty_line")
_TEAM_COLUMNS: Final = ("team", "name", "name_en", "duty_line")
_PEOPLE_COLUMNS: Final = (
    "username", "display_name", "role", "division", "department", "duty_line",
    "beats", "most_open", "shifts", "skills", "teams", "password",
)  # fmt: skip
_NEEDED: Final = {
    _DEPARTMENT_COLUMNS: {"code", "name", "duty_line"},
    _TEAM_COLUMNS: {"team", "name", "duty_line"},
    _PEOPLE_COLUMNS: {"username", "role", "division"},
}
_CHINESE: Final = {
    "用户名": "username", "姓名": "display_name", "角色": "role", "区划": "division", "部门": "department",
    "条线": "duty_line", "责任网格": "beats", "在办上限": "most_open", "班次": "shifts", "初始密码": "password",
    "代码": "code", "名称": "name", "英文名称": "name_en", "队伍代码": "team", "技能": "skills", "队伍": "teams",
}  # fmt: skip
_USERNAME: Final = re.compile(r"^[a-z0-9][a-z0-9._@-]{1,63}$")
_CODE: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
_SKILL: Final = re.compile(r"^[a-z][a-z0-9_]{0,63}$")


@dataclass(frozen=True)
class _Table:
    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]


@dataclass(frozen=True)
class _Line:
    """One row of a people file that is right by itself."""

    file: str
    row: int
    username: str
    display_name: str
    password: str | None
    grant: Grant
    beats: tuple[str, ...]
    most_open: int | None
    shifts: tuple[Shift, ...] | None
    skills: tuple[str, ...]
    teams: tuple[str, ...]


class _Wrong(ValueError):
    def __init__(self, field: str, given: str, wanted: str) -> None:
        super().__init__(field)
        self.field, self.given, self.wanted = field, given, wanted


def read_roster(files: Sequence[tuple[str, bytes]], known: Known) -> Roster:
    """Read `files` (name, content) of departments, teams and people, in any order; which is which the header says.

    A row at fault is left out and named. A person of whom one row is at fault is left out whole: half of
    somebody's roles would be neither what was nor what is meant.
    """
    faults: list[Fault] = []
    tables = [table for name, content in files if (table := _table(name, content, faults)) is not None]
    departments = _departments([t for t in tables if t.columns == _DEPARTMENT_COLUMNS], known, faults)
    teams = _teams([t for t in tables if t.columns == _TEAM_COLUMNS], known, faults)
    lists = [t for t in tables if t.columns == _PEOPLE_COLUMNS]
    if lists and not known.divisions:
        name = lists[0].file
        faults.append(_fault(name, None, "division", "no published grid set", "one: gridsvc grid publish"))
        lists = []
    known = replace(
        known,
        departments=known.departments | {d.code for d in departments},
        teams={**known.teams, **{t.code: t.duty_line for t in teams}},
    )
    people = _people(lists, known, faults)
    return Roster(departments=departments, teams=teams, people=people, faults=tuple(faults))


def _fault(file: str, row: int | None, field: str | None, given: str, wanted: str, *, refuses: bool = True) -> Fault:
    return Fault(file=file, row=row, field=field, given=given, wanted=wanted, refuses=refuses)


# -- tables ------------------------------------------------------------------------------------


def _table(name: str, content: bytes, faults: list[Fault]) -> _Table | None:
    text = decoded(content)
    if text is None:
        faults.append(_fault(name, None, None, "bytes that are no such text", "UTF-8 (with or without BOM) or GB18030"))
        return None
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        faults.append(_fault(name, None, None, f"text that is no CSV ({error})", "comma-separated values"))
        return None
    header = [_CHINESE.get(cell.strip(), cell.strip().lower()) for cell in lines[0]] if lines else []
    columns = _columns_of(header)
    wrong = _header_wrong(header, columns)
    if wrong is not None:
        faults.append(_fault(name, 1, None, *wrong))
        return None
    if len(lines) - 1 > _MOST_ROWS:
        faults.append(_fault(name, None, None, f"{len(lines) - 1} rows", f"at most {_MOST_ROWS}: divide the file"))
        return None
    return _Table(name, columns, tuple(_cells(name, header, lines[1:], faults)))


def _columns_of(header: Sequence[str]) -> tuple[str, ...]:
    if "code" in header:
        return _DEPARTMENT_COLUMNS
    return _TEAM_COLUMNS if "team" in header else _PEOPLE_COLUMNS


def decoded(content: bytes) -> str | None:
    """The text of a file as offices write them: UTF-8 with or without byte-order mark, or GB18030. None: neither."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, which GB18030 would read as other characters
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def _header_wrong(header: Sequence[str], columns: tuple[str, ...]) -> tuple[str, str] | None:
    wanted = f"a header of {', '.join(columns)}"
    if not any(header):
        return "an empty file", wanted
    strangers = [cell for cell in header if cell not in columns]
    if strangers:
        return f"column {strangers[0]!r}", wanted
    if len(set(header)) != len(header):
        return f"column {next(c for c in header if header.count(c) > 1)!r} twice", "each column once"
    missing = sorted(_NEEDED[columns] - set(header))
    return (f"no column {missing[0]!r}", wanted) if missing else None


def _cells(
    name: str, header: Sequence[str], lines: Iterable[list[str]], faults: list[Fault]
) -> Iterable[tuple[int, Mapping[str, str]]]:
    for row, line in enumerate(lines, start=2):
        cells = [cell.strip() for cell in line]
        if not any(cells):
            continue
        if len(cells) > len(header) and any(cells[len(header) :]):
            faults.append(_fault(name, row, None, f"{len(cells)} cells", f"{len(header)}, as the header"))
            continue
        cells += [""] * (len(header) - len(cells))
        yield row, dict(zip(header, cells, strict=False))


# -- departments -------------------------------------------------------------------------------


def _departments(tables: Sequence[_Table], known: Known, faults: list[Fault]) -> tuple[Department, ...]:
    found: dict[str, Department] = {}
    for table in tables:
        for row, cells in table.rows:
            try:
                department = _department(cells, known)
                if department.code in found:
                    raise _Wrong("code", repr(department.code), "each department once")
                found[department.code] = department
            except _Wrong as wrong:
                faults.append(_fault(table.file, row, wrong.field, wrong.given, wrong.wanted))
    return tuple(found.values())


def _department(cells: Mapping[str, str], known: Known) -> Department:
    code = cells["code"]
    if not _CODE.match(code):
        raise _Wrong("code", repr(code), "1 to 32 letters, digits, - or _")
    return Department(
        code=code,
        name=_text(cells, "name", 1, 128),
        name_en=_text(cells, "name_en", 0, 128),
        duty_line=_one_of(cells, "duty_line", known.duty_lines),
    )


def _text(cells: Mapping[str, str], field: str, least: int, most: int) -> str:
    value = cells.get(field, "")
    if not least <= len(value) <= most or not value.isprintable():
        raise _Wrong(field, repr(value[:40]), f"{least} to {most} printable characters")
    return value


def _one_of(cells: Mapping[str, str], field: str, choices: Iterable[str]) -> str:
    value = cells.get(field, "")
    if value not in choices:
        raise _Wrong(field, repr(value), f"one of {_some(choices)}")
    return value


def _some(choices: Iterable[str]) -> str:
    ordered = sorted(choices)
    if not ordered:
        return "those that exist, and there are none yet"
    return ", ".join(ordered[:8]) + (f" … ({len(ordered)} in all)" if len(ordered) > 8 else "")


# -- teams -------------------------------------------------------------------------------------


def _teams(tables: Sequence[_Table], known: Known, faults: list[Fault]) -> tuple[Team, ...]:
    found: dict[str, Team] = {}
    for table in tables:
        for row, cells in table.rows:
            try:
                team = _team(cells, known)
                if team.code in found:
                    raise _Wrong("team", repr(team.code), "each team once")
                found[team.code] = team
            except _Wrong as wrong:
                faults.append(_fault(table.file, row, wrong.field, wrong.given, wrong.wanted))
    return tuple(found.values())


def _team(cells: Mapping[str, str], known: Known) -> Team:
    code = cells["team"]
    if not _CODE.match(code):
        raise _Wrong("team", repr(code), "1 to 32 letters, digits, - or _")
    return Team(
        code=code,
        name=_text(cells, "name", 1, 128),
        name_en=_text(cells, "name_en", 0, 128),
        duty_line=_one_of(cells, "duty_line", known.duty_lines),
    )


# -- people ------------------------------------------------------------------------------------


def _people(tables: Sequence[_Table], known: Known, faults: list[Fault]) -> tuple[Person, ...]:
    lines: dict[str, list[_Line]] = {}
    refused: set[str] = set()
    for table in tables:
        for row, cells in table.rows:
            username = cells["username"].lower()
            try:
                line = _line(table.file, row, username, cells, known)
                lines.setdefault(username, []).append(line)
                faults.extend(_doubts(line, known))
            except _Wrong as wrong:
                refused.add(username)
                faults.append(_fault(table.file, row, wrong.field, wrong.given, wrong.wanted))
    people = []
    for username, own in lines.items():
        person = _person(own, faults)
        if person is not None and username not in refused:
            people.append(person)
    return tuple(people)


def _line(file: str, row: int, username: str, cells: Mapping[str, str], known: Known) -> _Line:
    if not _USERNAME.match(username):
        raise _Wrong("username", repr(username), "2 to 64 of a-z, 0-9, . _ @ -, beginning with a letter or digit")
    role = Role(_one_of(cells, "role", [str(r) for r in Role]))
    grant = _grant(role, cells, known)
    return _Line(
        file=file,
        row=row,
        username=username,
        display_name=_text(cells, "display_name", 0, 64),
        password=_password(cells.get("password", "")),
        grant=grant,
        beats=_beats(role, cells, grant, known),
        most_open=_most_open(role, cells),
        shifts=_shifts(role, cells),
        skills=_skills(role, cells),
        teams=_teams_of(role, cells, grant, known),
    )


def _grant(role: Role, cells: Mapping[str, str], known: Known) -> Grant:
    division = cells["division"]
    if division not in known.divisions:
        raise _Wrong("division", repr(division), "the code of a division of the published grid set")
    department, duty_line = cells.get("department", ""), cells.get("duty_line", "")
    if department and (duty_line or role is Role.OFFICER):
        raise _Wrong("department", repr(department), "blank: a role holds for a department or a duty line, not both")
    if department or role is Role.HANDLER:
        _one_of(cells, "department", known.departments)
    if duty_line or role is Role.OFFICER:
        _one_of(cells, "duty_line", known.duty_lines)
    return Grant(role=role, division=division, department=department or None, duty_line=duty_line or None)


def _password(given: str) -> str | None:
    if not given:
        return None
    if len(given) < 8 or len(given.encode()) > 256:
        raise _Wrong("password", f"one of {len(given)} characters", "8 characters or more, up to 256 bytes, or blank")
    return given


def _beats(role: Role, cells: Mapping[str, str], grant: Grant, known: Known) -> tuple[str, ...]:
    codes = [code.strip() for code in cells.get("beats", "").replace("；", ";").split(";") if code.strip()]
    if codes and role is not Role.OFFICER:
        raise _Wrong("beats", repr(cells["beats"]), "blank: only an officer walks beats")
    for code in codes:
        if (grant.duty_line, code) not in known.beats:
            raise _Wrong("beats", repr(code), f"a beat of duty line {grant.duty_line} in the published grid set")
    return tuple(sorted(set(codes)))


def _most_open(role: Role, cells: Mapping[str, str]) -> int | None:
    given = cells.get("most_open", "")
    if not given:
        return None
    if role is not Role.OFFICER:
        raise _Wrong("most_open", repr(given), "blank: only an officer holds cases")
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:9]) <= 500:
        raise _Wrong("most_open", repr(given), "a whole number from 1 to 500, or blank")
    return int(given)


def _shifts(role: Role, cells: Mapping[str, str]) -> tuple[Shift, ...] | None:
    given = cells.get("shifts", "")
    if not given:
        return None
    if role is not Role.OFFICER:
        raise _Wrong("shifts", repr(given), "blank: only an officer has shifts")
    try:
        return read_shifts(given)
    except BadShift as bad:
        raise _Wrong("shifts", repr(bad.given), bad.wanted) from None


def _skills(role: Role, cells: Mapping[str, str]) -> tuple[str, ...]:
    named = _listed(role, cells, "skills")
    for skill in named:
        if not _SKILL.match(skill):
            raise _Wrong("skills", repr(skill[:40]), "words of a-z, 0-9 and _ with ; between, such as electric; boat")
    return named


def _teams_of(role: Role, cells: Mapping[str, str], grant: Grant, known: Known) -> tuple[str, ...]:
    named = _listed(role, cells, "teams")
    line = grant.duty_line
    for team in named:
        if known.teams.get(team) != line:
            choices = [code for code, of in known.teams.items() if of == line]
            raise _Wrong("teams", repr(team), f"teams of duty line {line} with ; between: {_some(choices)}")
    return named


def _listed(role: Role, cells: Mapping[str, str], field: str) -> tuple[str, ...]:
    given = cells.get(field, "")
    if given and role is not Role.OFFICER:
        raise _Wrong(field, repr(given), f"blank: only an officer has {field}")
    return tuple(sorted({piece.strip() for piece in re.split("[;；]", given) if piece.strip()}))


def _doubts(line: _Line, known: Known) -> Iterable[Fault]:
    if line.grant.role is not Role.OFFICER:
        return
    if not line.beats:
        yield _fault(line.file, line.row, "beats", "none", "a beat: without one routing never chooses this officer",
                     refuses=False)  # fmt: skip
    for beat in line.beats:
        division = known.beats[line.grant.duty_line or "", beat]
        if line.grant.division not in known.divisions[division]:
            yield _fault(
                line.file, line.row, "beats", f"{beat!r}, which lies in {division}",
                f"one inside the officer's division {line.grant.division}", refuses=False,
            )  # fmt: skip


def _person(lines: Sequence[_Line], faults: list[Fault]) -> Person | None:
    """Put the rows of one person together; None where they contradict each other."""
    before = len(faults)
    faults.extend(
        _fault(line.file, line.row, "role", f"{line.grant.role} a second time", "each role of a person once")
        for line in _repeated(lines)
    )
    officers = [line for line in lines if line.grant.role is Role.OFFICER]
    name = _agreed(lines, "display_name", [line.display_name or None for line in lines], faults)
    password = _agreed(lines, "password", [line.password for line in lines], faults)
    duty_line = _agreed(officers, "duty_line", [line.grant.duty_line for line in officers], faults)
    most_open = _agreed(officers, "most_open", [line.most_open for line in officers], faults)
    shifts = _agreed(officers, "shifts", [line.shifts for line in officers], faults)
    if name is None:
        faults.append(_fault(lines[0].file, lines[0].row, "display_name", "''", "a name in one row of the person"))
    if len(faults) > before or name is None:
        return None
    post = None
    if duty_line is not None:
        beats = tuple(sorted({beat for line in officers for beat in line.beats}))
        post = Post(duty_line=duty_line, beats=beats, most_open=most_open or MOST_OPEN, shifts=shifts or (),
                    skills=tuple(sorted({skill for line in officers for skill in line.skills})),
                    teams=tuple(sorted({team for line in officers for team in line.teams})))
    return Person(
        username=lines[0].username,
        display_name=name,
        password=password,
        grants=tuple(line.grant for line in lines),
        post=post,
    )


def _repeated(lines: Sequence[_Line]) -> list[_Line]:
    return [line for i, line in enumerate(lines) if any(line.grant == other.grant for other in lines[:i])]


def _agreed(lines: Sequence[_Line], field: str, values: Sequence[T | None], faults: list[Fault]) -> T | None:
    """The one value that the rows of a person give for `field`; blanks agree with everything."""
    agreed: T | None = None
    for line, value in zip(lines, values, strict=True):
        if agreed is None:
            agreed = value
        elif value is not None and value != agreed:
            wanted = "the same in every row of the person, or blank"
            faults.append(_fault(line.file, line.row, field, "another value", wanted))
    return agreed
