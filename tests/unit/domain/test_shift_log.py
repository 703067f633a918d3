"""Whose desk an entry in the book of the shift is of, and who signs for it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from gridsvc.domain.access import Caller, Grant, Role, case_keys, scope_keys
from gridsvc.domain.shift_log import check_taking, of_desk, own_desk
from gridsvc.errors import GuardFailed, NotAllowed

PATH = ["620100", "620102", "620102001"]


def desk(role: Role, division: str, **axis: str) -> Caller:
    return Caller(id=f"user:{uuid4()}", grants=(Grant(role=role, division=division, **axis),))


def test_an_entry_is_of_the_writers_own_desk_and_of_no_other() -> None:
    assert own_desk(desk(Role.DISPATCHER, "620102", duty_line="city")) == ("620102", "city")
    of_desk(desk(Role.ACCEPTOR, "620102"), PATH, None)  # a desk below his own
    with pytest.raises(NotAllowed):
        of_desk(desk(Role.ACCEPTOR, "620103"), PATH, None)
    with pytest.raises(NotAllowed):
        of_desk(desk(Role.DISPATCHER, "620102", duty_line="social"), PATH, "city")


def test_who_works_for_a_department_too_writes_at_the_desk_and_not_for_the_department() -> None:
    water = Grant(role=Role.DISPATCHER, division="620100", department="water")
    both = Caller(id="user:x", grants=(water, Grant(role=Role.DISPATCHER, division="620102")))
    assert own_desk(both) == ("620102", None)
    with pytest.raises(NotAllowed):
        own_desk(Caller(id="user:x", grants=(water,)))


@pytest.mark.parametrize("role", [Role.OFFICER, Role.HANDLER, Role.ADMIN, Role.AUDITOR])
def test_who_sits_at_no_desk_writes_nothing(role: Role) -> None:
    with pytest.raises(NotAllowed):
        own_desk(desk(role, "620102"))
    with pytest.raises(NotAllowed):
        of_desk(desk(role, "620102"), PATH, None)


def test_desks_above_and_of_all_lines_read_what_one_line_wrote_and_another_line_does_not() -> None:
    keys = set(case_keys(of_desk(desk(Role.DISPATCHER, "620102", duty_line="city"), PATH[:2], "city")))
    assert keys & set(scope_keys(desk(Role.SUPERVISOR, "620100")))
    assert keys & set(scope_keys(desk(Role.DISPATCHER, "620102")))
    assert not keys & set(scope_keys(desk(Role.DISPATCHER, "620102", duty_line="social")))
    assert not keys & set(scope_keys(desk(Role.DISPATCHER, "620103")))


def test_a_hand_over_is_signed_for_by_another_and_a_note_by_nobody() -> None:
    one, other = uuid4(), uuid4()
    check_taking(hand_over=True, written_by=one, by=other)
    with pytest.raises(GuardFailed, match="another person"):
        check_taking(hand_over=True, written_by=one, by=one)
    with pytest.raises(GuardFailed, match="note"):
        check_taking(hand_over=False, written_by=one, by=other)
