"""Who sees which case, and as what: areas, duty lines, departments."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.access import Caller, Grant, Role, Whereabouts, case_keys, holds_any, roles_over, scope_keys
from tests.unit.domain.sample_case import CITY, CLERK, COMMUNITY, DISTRICT, ELSEWHERE, HANDLER, OFFICER, STREET

CASE = Whereabouts(divisions=(CITY, DISTRICT, STREET, COMMUNITY), duty_line="city", department="roads")
PLACELESS = Whereabouts(divisions=(), duty_line="city", desk_path=(CITY, DISTRICT), reported_by=f"user:{HANDLER}")
AREAS = (CITY, DISTRICT, STREET, COMMUNITY, ELSEWHERE)
AXES: tuple[dict[str, str], ...] = (
    {}, {"duty_line": "city"}, {"duty_line": "social"}, {"department": "roads"}, {"department": "water"},
)  # fmt: skip


def somebody(*grants: Grant) -> Caller:
    return Caller(id=f"user:{CLERK}", user_id=CLERK, grants=grants)


def sees(caller: Caller, case: Whereabouts) -> bool:
    """As the query and row-level security ask it: do the keys meet?"""
    return not set(scope_keys(caller)).isdisjoint(case_keys(case))


@pytest.mark.parametrize(
    ("rule", "division", "axis", "case", "seen"),
    [
        ("whoever has the whole city sees it", CITY, {}, CASE, True),
        ("whoever has the district sees it", DISTRICT, {}, CASE, True),
        ("whoever has its community sees it", COMMUNITY, {}, CASE, True),
        ("whoever has another district does not", ELSEWHERE, {}, CASE, False),
        ("its duty line in its district sees it", DISTRICT, {"duty_line": "city"}, CASE, True),
        ("another duty line does not", DISTRICT, {"duty_line": "social"}, CASE, False),
        ("its duty line elsewhere does not", ELSEWHERE, {"duty_line": "city"}, CASE, False),
        ("its department in its district sees it", DISTRICT, {"department": "roads"}, CASE, True),
        ("another department does not", DISTRICT, {"department": "water"}, CASE, False),
        ("a water company does not see a dispute between neighbours", CITY, {"department": "water"},
         replace(CASE, duty_line="social", department=None), False),
        ("before it is assigned no department sees it", DISTRICT, {"department": "roads"},
         replace(CASE, department=None), False),
        ("a case without a place is seen by the desk that took it in", DISTRICT, {}, PLACELESS, True),
        ("and by that desk's duty line", DISTRICT, {"duty_line": "city"}, PLACELESS, True),
        ("and by the desks above it: rungs climb to them", CITY, {}, PLACELESS, True),
        ("once it is located elsewhere, the desk that took it in sees it no more", ELSEWHERE, {},
         replace(CASE, desk_path=(CITY, ELSEWHERE)), False),
        ("a level that holds it sees it", DISTRICT, {}, replace(CASE, held_by=DISTRICT), True),
        ("those above that level see it", CITY, {}, replace(CASE, held_by=DISTRICT), True),
        ("those below it do not any more", STREET, {}, replace(CASE, held_by=DISTRICT), False),
        ("nor does their department", STREET, {"department": "roads"}, replace(CASE, held_by=DISTRICT), False),
        ("a level that is not on its path takes it from nobody", COMMUNITY, {}, replace(CASE, held_by=ELSEWHERE), True),
        ("a case without place or desk is seen by no area", CITY, {}, replace(PLACELESS, desk_path=()), False),
    ],
)  # fmt: skip
def test_who_sees_a_case(rule: str, division: str, axis: dict[str, str], case: Whereabouts, seen: bool) -> None:
    caller = somebody(Grant(role=Role.HANDLER, division=division, **axis))
    assert sees(caller, case) is seen, rule
    assert (roles_over(caller, case) == {Role.HANDLER}) is seen, rule


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("its officer", {"officer": CLERK}),
        ("its handler", {"handler": CLERK}),
        ("its reporter", {"reported_by": f"user:{CLERK}"}),
        ("whoever was sent to look at it", {"checker": CLERK}),
    ],
)
def test_a_person_of_the_case_sees_it_without_any_role_over_it(rule: str, changes: dict[str, Any]) -> None:
    caller = somebody(Grant(role=Role.OFFICER, division=ELSEWHERE, duty_line="city"))
    assert not sees(caller, CASE)
    assert sees(caller, replace(CASE, **changes)), rule
    assert roles_over(caller, replace(CASE, **changes)) == frozenset(), rule


def test_roles_and_sight_agree_for_every_area_and_axis() -> None:
    """A role over a case without sight of it, or sight by area without a role, would be a hole."""
    walk = product(AREAS, AXES, (None, "roads"), ("city", "social"), (None, CITY, STREET))
    for division, axis, department, line, held_by in walk:
        case = replace(CASE, department=department, duty_line=line, held_by=held_by)
        caller = somebody(Grant(role=Role.AUDITOR, division=division, **axis))
        assert sees(caller, case) == bool(roles_over(caller, case)), (division, axis, department, line, held_by)


def test_every_role_that_holds_counts_and_no_other() -> None:
    caller = somebody(
        Grant(role=Role.ACCEPTOR, division=CITY),
        Grant(role=Role.SUPERVISOR, division=STREET, duty_line="city"),
        Grant(role=Role.DISPATCHER, division=ELSEWHERE),
        Grant(role=Role.HANDLER, division=DISTRICT, department="water"),
    )
    assert roles_over(caller, CASE) == {Role.ACCEPTOR, Role.SUPERVISOR}
    assert holds_any(caller, [Role.DISPATCHER])
    assert not holds_any(caller, [Role.ADMIN])


def test_the_officer_keeps_sight_of_what_a_level_above_him_holds() -> None:
    officer = somebody(Grant(role=Role.OFFICER, division=STREET, duty_line="city"))
    assert sees(officer, replace(CASE, held_by=DISTRICT, officer=CLERK))


def test_a_code_that_begins_like_another_is_another() -> None:
    """6201 is no ancestor of 620102 unless the case says so."""
    assert not sees(somebody(Grant(role=Role.ADMIN, division="6201")), CASE)


def test_whoever_has_no_grant_carries_his_own_key_alone() -> None:
    assert scope_keys(somebody()) == [f"user:{CLERK}"]


@given(st.permutations([CITY, DISTRICT, STREET]))
def test_keys_do_not_depend_on_the_order_of_the_grants(order: list[str]) -> None:
    caller = somebody(*(Grant(role=Role.AUDITOR, division=each) for each in order))
    assert scope_keys(caller) == sorted([CITY, DISTRICT, STREET, f"user:{CLERK}"])


def test_all_the_keys_that_open_a_case() -> None:
    case = replace(CASE, divisions=(CITY, STREET), officer=OFFICER, handler=HANDLER, reported_by="key:1")
    areas = {f"{division}{axis}" for division in (CITY, STREET) for axis in ("", "/line:city", "/dept:roads")}
    assert set(case_keys(case)) == areas | {f"user:{OFFICER}", f"user:{HANDLER}", "key:1"}


def test_a_key_of_a_program_is_no_user() -> None:
    program = Caller(id=f"key:{UUID(int=5)}", grants=(), scopes=frozenset({"reports:write"}))
    assert scope_keys(program) == [f"key:{UUID(int=5)}"]
