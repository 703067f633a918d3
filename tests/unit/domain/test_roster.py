"""What a departments or people file may say, and how each thing wrong with one is named."""

from __future__ import annotations

import pytest

from gridsvc.domain.access import Grant, Role
from gridsvc.domain.roster import Known, Roster, read_roster

KNOWN = Known(
    duty_lines=frozenset({"city", "social"}),
    departments=frozenset({"water"}),
    divisions={"6201": ("6201",), "620102": ("6201", "620102"), "620103": ("6201", "620103")},
    beats={("city", "B1"): "620102", ("city", "B9"): "620103", ("social", "S1"): "620102"},
    teams={"night": "city", "peace": "social"},
)
HEAD = "username,display_name,role,division,department,duty_line,beats,most_open,shifts,password"
GOOD = "ann,Ann,officer,620102,,city,B1,5,1-5 08:00-12:00,"


def people(*rows: str, head: str = HEAD) -> Roster:
    return read_roster([("people.csv", "\n".join([head, *rows]).encode())], KNOWN)


def test_an_officer_s_row_gives_role_beats_limit_and_shifts() -> None:
    (ann,) = people(GOOD).people
    assert ann.grants == (Grant(role=Role.OFFICER, division="620102", duty_line="city"),)
    assert ann.post is not None
    assert (ann.post.beats, ann.post.most_open, len(ann.post.shifts)) == (("B1",), 5, 5)
    assert ann.password is None


def test_several_rows_of_one_person_are_several_roles() -> None:
    roster = people("bo,Bo,dispatcher,6201,,,,,,", "BO,,acceptor,620102,,city,,,,")
    assert not roster.faults
    assert [grant.role for grant in roster.people[0].grants] == [Role.DISPATCHER, Role.ACCEPTOR]
    assert roster.people[0].post is None


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("a,Ann,officer,620102,,city,B1,5,,", "username"),
        ("ann,,officer,620102,,city,B1,5,,", "display_name"),
        ("ann,Ann,mayor,620102,,city,B1,5,,", "role"),
        ("ann,Ann,officer,620199,,city,B1,5,,", "division"),
        ("ann,Ann,officer,620102,,,B1,5,,", "duty_line"),
        ("ann,Ann,officer,620102,,rail,B1,5,,", "duty_line"),
        ("ann,Ann,officer,620102,water,city,B1,5,,", "department"),
        ("ann,Ann,handler,620102,,,,,,", "department"),
        ("ann,Ann,handler,620102,gas,,,,,", "department"),
        ("ann,Ann,handler,620102,water,city,,,,", "department"),
        ("ann,Ann,officer,620102,,city,S1,5,,", "beats"),
        ("ann,Ann,dispatcher,620102,,,B1,,,", "beats"),
        ("ann,Ann,officer,620102,,city,B1,0,,", "most_open"),
        ("ann,Ann,officer,620102,,city,B1,many,,", "most_open"),
        ("ann,Ann,auditor,620102,,,,5,,", "most_open"),
        ("ann,Ann,officer,620102,,city,B1,5,1-5 late,", "shifts"),
        ("ann,Ann,auditor,620102,,,,,1 08:00-12:00,", "shifts"),
        ("ann,Ann,officer,620102,,city,B1,5,,short", "password"),
        ("ann,A\x07nn,officer,620102,,city,B1,5,,", "display_name"),
    ],
)
def test_a_row_at_fault_names_file_row_field_and_what_is_wanted(row: str, field: str) -> None:
    roster = people("bo,Bo,dispatcher,6201,,,,,,", row)
    (fault,) = roster.refused
    assert (fault.file, fault.row, fault.field) == ("people.csv", 3, field)
    assert fault.wanted
    assert [person.username for person in roster.people] == ["bo"]


def test_a_password_is_never_repeated_in_a_message() -> None:
    (fault,) = people(GOOD + "secret7").refused
    assert "secret7" not in str(fault)


def test_a_person_is_left_out_whole_when_one_of_the_rows_is_at_fault() -> None:
    roster = people(GOOD, "ann,Ann,mayor,620102,,,,,,", "bo,Bo,dispatcher,6201,,,,,,")
    assert [person.username for person in roster.people] == ["bo"]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ((GOOD, "ann,Anna,auditor,620102,,,,,,"), "display_name"),
        ((GOOD + "long-enough", "ann,,auditor,620102,,,,,,another-one"), "password"),
        ((GOOD, "ann,,officer,620103,,social,S1,,,"), "duty_line"),
        ((GOOD, "ann,,officer,620103,,city,B9,7,,"), "most_open"),
        ((GOOD, "ann,,officer,620102,,city,B1,,,"), "role"),
    ],
)
def test_rows_of_one_person_must_not_contradict_each_other(rows: tuple[str, ...], field: str) -> None:
    roster = people(*rows)
    assert [fault.field for fault in roster.refused] == [field]
    assert not roster.people


def test_an_officer_without_beat_or_with_one_elsewhere_is_taken_with_a_warning() -> None:
    roster = people("ann,Ann,officer,620102,,city,B9,,,", "bo,Bo,officer,620102,,city,,,,")
    assert len(roster.people) == 2
    assert not roster.refused
    assert [fault.row for fault in roster.faults] == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_headings_and_the_encodings_of_a_chinese_office_are_read(encoding: str) -> None:
    text = "用户名,姓名,角色,区划,条线,责任网格\r\nwang,王芳,officer,620102,city,B1\r\n"
    roster = read_roster([("人员.csv", text.encode(encoding))], KNOWN)
    assert not roster.faults
    assert roster.people[0].display_name == "王芳"


@pytest.mark.parametrize(
    ("why", "content"),
    [
        ("UTF-16 is not guessed", "username,role,division".encode("utf-16")),
        ("bytes of no encoding", b"username,role,division\n\xff\xff\xff"),
        ("NUL", b"username,role,division\n\0,officer,620102"),
        ("nothing at all", b""),
        ("an unknown column", b"username,role,division,shoe_size"),
        ("a column twice", b"username,role,division,role"),
        ("a column missing", b"username,role"),
        ("other separators", b"username;role;division"),
        ("a quote that never ends", b'username,role,division\n"ann,officer,620102'),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_one(why: str, content: bytes) -> None:
    roster = read_roster([("people.csv", content)], KNOWN)
    assert len(roster.refused) == 1, why
    assert not roster.people


def test_a_row_with_too_many_cells_is_refused_and_an_empty_one_passed_over() -> None:
    roster = people(GOOD + ",more", "", ",,,", "bo,Bo,dispatcher,6201")
    assert [fault.row for fault in roster.refused] == [2]
    assert [person.username for person in roster.people] == ["bo"]


def test_departments_of_the_same_import_may_be_named_by_its_people() -> None:
    files = [
        ("people.csv", f"{HEAD}\nbo,Bo,handler,620102,gas,,,,,\n".encode()),
        ("departments.csv", b"code,name,duty_line\ngas,Gas,city\n"),
    ]
    roster = read_roster(files, KNOWN)
    assert not roster.faults
    assert [department.code for department in roster.departments] == ["gas"]


@pytest.mark.parametrize(
    ("row", "field"),
    [("g s,Gas,city", "code"), ("gas,,city", "name"), ("gas,Gas,rail", "duty_line"), ("ok,Again,city", "code")],
)
def test_a_department_at_fault_is_named(row: str, field: str) -> None:
    roster = read_roster([("d.csv", f"code,name,duty_line\nok,Fine,city\n{row}\n".encode())], KNOWN)
    assert [(fault.row, fault.field) for fault in roster.refused] == [(3, field)]
    assert [department.code for department in roster.departments] == ["ok"]


def test_without_a_published_grid_set_there_is_one_fault_not_one_per_row() -> None:
    nowhere = Known(duty_lines=KNOWN.duty_lines, departments=frozenset(), divisions={}, beats={})
    roster = read_roster([("people.csv", f"{HEAD}\n{GOOD}\n{GOOD}\n".encode())], nowhere)
    assert len(roster.refused) == 1


# --- skills and teams ---------------------------------------------------------------------------------

WITH = "username,display_name,role,division,duty_line,beats,skills,teams"


def test_an_officer_can_do_and_belongs_to_what_the_rows_say_together() -> None:
    roster = people(
        "ann,Ann,officer,620102,city,B1,boat; electric,night", "ann,,officer,6201,city,,electric；ladder,", head=WITH
    )
    assert not roster.refused
    post = roster.people[0].post
    assert post is not None
    assert (post.skills, post.teams) == (("boat", "electric", "ladder"), ("night",))


def test_a_file_without_these_columns_says_that_he_has_none() -> None:
    post = people(GOOD).people[0].post
    assert post is not None
    assert (post.skills, post.teams) == ((), ())


@pytest.mark.parametrize(
    ("row", "field", "given"),
    [
        ("ann,Ann,officer,620102,city,B1,Boat,", "skills", "'Boat'"),
        ("ann,Ann,officer,620102,city,B1,2nd,", "skills", "'2nd'"),
        ("ann,Ann,dispatcher,620102,,,boat,", "skills", "'boat'"),
        ("ann,Ann,officer,620102,city,B1,,day", "teams", "'day'"),
        ("ann,Ann,officer,620102,city,B1,,peace", "teams", "'peace'"),
        ("ann,Ann,dispatcher,620102,,,,night", "teams", "'night'"),
    ],
)
def test_a_skill_or_team_at_fault_is_named(row: str, field: str, given: str) -> None:
    (fault,) = people(row, head=WITH).refused
    assert (fault.row, fault.field, fault.given) == (2, field, given)


def test_teams_may_come_in_the_same_import_as_their_people() -> None:
    teams = b"team,name,name_en,duty_line\nflood,\xe9\x98\xb2\xe6\xb1\x9b\xe9\x98\x9f,Flood crew,city\n"
    roster = read_roster(
        [("people.csv", f"{WITH}\nann,Ann,officer,620102,city,B1,,flood".encode()), ("teams.csv", teams)], KNOWN
    )
    assert not roster.faults
    assert [(team.code, team.name, team.duty_line) for team in roster.teams] == [("flood", "防汛队", "city")]
    assert roster.people[0].post is not None
    assert roster.people[0].post.teams == ("flood",)


@pytest.mark.parametrize(
    ("row", "field"),
    [(",夜班,,city", "team"), ("a/b,夜班,,city", "team"), ("x,,,city", "name"), ("x,夜班,,rail", "duty_line")],
)
def test_a_team_at_fault_is_named(row: str, field: str) -> None:
    roster = read_roster([("teams.csv", f"team,name,name_en,duty_line\n{row}".encode())], KNOWN)
    (fault,) = roster.refused
    assert (fault.file, fault.row, fault.field) == ("teams.csv", 2, field)


def test_a_team_twice_is_refused() -> None:
    roster = read_roster([("t.csv", "队伍代码,名称,条线\nx,一,city\nx,二,city".encode("gb18030"))], KNOWN)
    assert [team.name for team in roster.teams] == ["一"]
    assert [fault.wanted for fault in roster.refused] == ["each team once"]
