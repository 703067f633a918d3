"""A city's own reasons: added beside the common ones, never changed, switched off where nobody wants them."""

from __future__ import annotations

import pytest

from gridsvc.domain.access import Role
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Move, State
from gridsvc.domain.reason_file import read_reasons
from gridsvc.domain.reasons import REASONS, Reason, with_own
from gridsvc.errors import BadRequest
from tests.unit.domain.sample_case import LEFT_OUT, NOW, case_in, saying, who

FESTIVAL = Reason("festival", "庙会占道", "A temple fair stands there")
OWN = with_own({"suspend": (FESTIVAL, Reason("weather", "天气或季节原因", "Weather or season", active=False))})
HEAD = "move,code,name,name_en,wants_words,active\n"


def read(rows: str) -> list[str]:
    return [str(fault) for fault in read_reasons("own.csv", (HEAD + rows).encode(), OWN).faults]


def test_a_citys_own_reasons_stand_before_the_one_that_wants_words() -> None:
    codes = [each.code for each in OWN["suspend"]]
    assert codes[-2:] == ["festival", "other"]
    assert codes[:-2] == [each.code for each in REASONS["suspend"][:-1]]
    assert OWN["cancel"] == REASONS["cancel"]
    assert [each.code for each in OWN["suspend"] if not each.active] == ["weather"]


def test_a_move_takes_what_its_city_has_in_use_and_nothing_else() -> None:
    case, by = case_in(State.ACCEPTED), who(Role.DISPATCHER)
    own = saying(Move.SUSPEND, reason=LEFT_OUT, reason_code="festival")
    assert decide(case, Move.SUSPEND, by, own, NOW, OWN).suspended
    with pytest.raises(BadRequest, match="is no reason to suspend"):
        decide(case, Move.SUSPEND, by, own, NOW)
    switched_off = saying(Move.SUSPEND, reason=LEFT_OUT, reason_code="weather")
    with pytest.raises(BadRequest, match="is no reason to suspend"):
        decide(case, Move.SUSPEND, by, switched_off, NOW, OWN)


def test_a_good_file_in_either_language() -> None:
    found = read_reasons("own.csv", "操作,代码,名称,启用\nextend,holiday,法定假日,是\n\n".encode("gb18030"), OWN)
    assert found.faults == ()
    [reason] = found.reasons
    assert (reason.move, reason.code, reason.name, reason.name_en) == ("extend", "holiday", "法定假日", "法定假日")
    assert (reason.wants_words, reason.active) == (False, True)


def test_twice_the_same_is_no_fault_and_neither_is_switching() -> None:
    assert read("suspend,festival,庙会占道,A temple fair stands there,no,yes\n") == []
    assert read("suspend,festival,庙会占道,A temple fair stands there,no,no\n") == []
    assert read("suspend,weather,天气或季节原因,Weather or season,,yes\n") == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("dance,fun,x,,,", "field move: given 'dance'"),
        ("accept,fun,x,,,", "field move: given 'accept'; want a move that has reasons"),
        ("suspend,Fun,x,,,", "field code: given 'Fun'"),
        ("suspend,fun,,,,", "field name: given ''"),
        ("suspend,fun,x,,maybe,", "field wants_words: given 'maybe'; want yes or no"),
        ("suspend,fun,x,,,\nsuspend,fun,x,,,", "row 3, field code: given 'fun' of suspend twice"),
        ("suspend,festival,集市,,,", "field code: given 'festival', which is '庙会占道', with another meaning"),
        ("suspend,parts,x,,,", "field code: given 'parts', which is '等待材料配件', with another meaning"),
        ('suspend,other,其他（须说明）,"Something else, in words",yes,no', "field active: given no"),
    ],
)
def test_a_row_at_fault_is_named_by_row_field_given_and_wanted(row: str, said: str) -> None:
    [fault] = read(row + "\n")
    assert fault.startswith("own.csv, row ")
    assert said in fault


def test_a_file_that_is_no_list_of_reasons_says_what_it_lacks() -> None:
    [fault] = read_reasons("own.csv", b"code,name\nx,y\n", OWN).faults
    assert str(fault) == "own.csv, row 1: given no column 'move'; want at least move, code and name (操作, 代码, 名称)"
    assert len(read_reasons("own.csv", b"\xff\xfe", OWN).faults) == 1
    assert len(read_reasons("own.csv", b"", OWN).faults) == 1
