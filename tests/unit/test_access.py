"""Who may see which case: grants and cases meet by their keys, or not at all."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.access import Caller, Grant, Role, Whereabouts, case_keys, roles_over, scope_keys

PERSON = UUID(int=1)
ANOTHER = UUID(int=2)

DISTRICT, STREET, NEIGHBOUR = "620102", "620102001", "620103"

CASE = Whereabouts(divisions=["6201", DISTRICT, STREET], duty_line="sanitation", department="water")


def caller(*grants: Grant, user: UUID = PERSON) -> Caller:
    return Caller(id=f"user:{user}", grants=grants, user_id=user)


def sees(who: Caller, case: Whereabouts) -> bool:
    return not set(scope_keys(who)).isdisjoint(case_keys(case))


def over(role: Role, division: str, line: str | None = None, department: str | None = None) -> Grant:
    return Grant(role=role, division=division, duty_line=line, department=department)


@pytest.mark.parametrize(
    ("why", "grant", "expected"),
    [
        ("the city's desk sees what lies anywhere in it", over(Role.DISPATCHER, "6201"), True),
        ("the street's desk sees its street", over(Role.DISPATCHER, STREET), True),
        ("the neighbour's desk does not", over(Role.DISPATCHER, NEIGHBOUR), False),
        ("a case known by its street only is no community's", over(Role.DISPATCHER, STREET + "001"), False),
        ("a code that merely begins alike is another division", over(Role.DISPATCHER, "62"), False),
        ("the duty line's own people see it", over(Role.DISPATCHER, DISTRICT, line="sanitation"), True),
        ("another duty line does not", over(Role.DISPATCHER, DISTRICT, line="governance"), False),
        ("the handling department sees it", over(Role.HANDLER, DISTRICT, department="water"), True),
        ("another department does not", over(Role.HANDLER, DISTRICT, department="lamps"), False),
        ("the same department next door does not", over(Role.HANDLER, NEIGHBOUR, department="water"), False),
    ],
)
def test_an_area_and_an_axis_open_a_case(why: str, grant: Grant, expected: bool) -> None:
    assert sees(caller(grant), CASE) is expected, why
    assert (roles_over(caller(grant), CASE) == {grant.role}) is expected, why


def test_a_water_companys_handler_does_not_see_a_neighbours_dispute() -> None:
    dispute = Whereabouts(divisions=["6201", DISTRICT], duty_line="governance")
    assert not sees(caller(Grant(role=Role.HANDLER, division="6201", department="water")), dispute)


@pytest.mark.parametrize(
    "case",
    [
        Whereabouts(divisions=[NEIGHBOUR], duty_line="x", officer=PERSON),
        Whereabouts(divisions=[NEIGHBOUR], duty_line="x", handler=PERSON),
        Whereabouts(divisions=[NEIGHBOUR], duty_line="x", reported_by=f"user:{PERSON}"),
    ],
)
def test_its_officer_its_handler_and_its_reporter_see_a_case_wherever_it_lies(case: Whereabouts) -> None:
    assert sees(caller(), case)
    assert not sees(caller(user=ANOTHER), case)
    assert not roles_over(caller(), case), "seeing it gives no role over it"


def test_a_case_without_a_place_is_opened_by_its_desk_and_those_above_it() -> None:
    lost = Whereabouts(divisions=[], duty_line="sanitation", desk_path=("6201", DISTRICT))
    assert sees(caller(Grant(role=Role.ACCEPTOR, division=DISTRICT)), lost)
    assert not sees(caller(Grant(role=Role.ACCEPTOR, division=NEIGHBOUR)), lost)
    assert sees(caller(Grant(role=Role.ACCEPTOR, division="6201")), lost), "rungs of it climb to them"
    assert not sees(caller(Grant(role=Role.ACCEPTOR, division=STREET)), lost), "nobody knows that it lies in the street"
    nowhere = Whereabouts(divisions=[], duty_line="sanitation")
    assert case_keys(nowhere) == []


def test_roles_do_not_add_up_across_areas() -> None:
    mixed = caller(Grant(role=Role.ADMIN, division=NEIGHBOUR), Grant(role=Role.AUDITOR, division=DISTRICT))
    assert roles_over(mixed, CASE) == {Role.AUDITOR}


_codes = st.sampled_from(["6201", DISTRICT, STREET, NEIGHBOUR, "62"])
_grants = st.builds(
    Grant,
    role=st.sampled_from(list(Role)),
    division=_codes,
    department=st.none(),
    duty_line=st.sampled_from([None, "sanitation", "governance"]),
) | st.builds(Grant, role=st.just(Role.HANDLER), division=_codes, department=st.sampled_from(["water", "lamps"]))


@given(st.lists(_grants, max_size=4), st.lists(_codes, unique=True), st.sampled_from([None, "water", "lamps"]))
def test_whoever_has_a_role_over_a_case_sees_it_and_nobody_else_does(
    grants: list[Grant], divisions: list[str], department: str | None
) -> None:
    case = Whereabouts(divisions=divisions, duty_line="sanitation", department=department)
    who = caller(*grants)
    assert sees(who, case) == bool(roles_over(who, case))
