"""The simulated desks: they call back, hear every kind of answer, and mark a wrong page now and then."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from uuid import UUID

from gridsvc.domain.case import MOVES
from gridsvc.domain.case_state import Move
from gridsvc.domain.reasons import RESULTS
from gridsvc.local.simulate_desk import (
    A_WORD_MEANS,
    AT_A_SITTING,
    LEFT_WAITING,
    REPLACE_EVERY,
    TEND_EVERY,
    WITH_NUMBER,
    WRONG_PAGE_EVERY,
    answer,
    calls,
    meaning,
    number_of,
    replaced,
    tended,
    verdicts,
    wrong_page,
)
from gridsvc.local.simulate_rules import MARK
from gridsvc.local.starter import CATEGORIES
from tests.unit.local.test_simulate_rules import new_case


def test_every_answer_that_there_is_is_heard_and_is_a_body_of_the_move() -> None:
    heard: Counter[object] = Counter()
    rule = MOVES[Move.CALL_BACK]
    for number in range(400):
        said = answer(str(UUID(int=number)), 5, seed=1)
        heard[said["result"]] += 1
        assert set(rule.needs) <= said.keys() <= {*rule.needs, *rule.takes}
        assert ("satisfaction" in said) == (said["result"] in {"solved", "not_solved"})
    assert set(heard) == {each.code for each in RESULTS["call_back"]}
    assert heard["solved"] > 200 > 80 > heard["not_solved"] > 10


def test_who_does_not_answer_is_called_again_and_answers_some_time() -> None:
    for number in range(200):
        results = [answer(str(UUID(int=number)), version, seed=1)["result"] for version in range(30)]
        assert set(results) != {"unreachable"}


def test_only_simulated_reports_are_called_back_and_each_case_once_at_a_time() -> None:
    listed = [
        {"id": str(n), "case_id": case, "version": 4, "description": words}
        for n, (case, words) in enumerate((("z", "x"), ("a", f"{MARK}灯"), ("a", f"{MARK}灯"), ("b", f"{MARK}井盖")))
    ]
    assert [(call.case, call.said["call_back"]) for call in calls(listed, 1, 9)] == [("a", "1"), ("b", "3")]
    assert len(calls(listed, 1, 1)) == 1


def test_some_callers_leave_no_number() -> None:
    numbers = [number_of(str(n)) for n in range(1_000)]
    assert abs(sum(each is not None for each in numbers) / 1_000 - WITH_NUMBER) < 0.05


def test_a_wrong_page_is_marked_seldom_and_is_of_one_district() -> None:
    owned = [replace(new_case(n), state="accepted", pool=None) for n in range(9)]
    elsewhere = [replace(case, id=f"{case.id}x", divisions=("620100", "620103")) for case in owned]
    pages = [wrong_page([*owned, *elsewhere], look) for look in range(4 * WRONG_PAGE_EVERY)]
    marked = [page for page in pages if page]
    assert len(marked) == 4
    assert {tuple(sorted({case.divisions[1] for case in page})) for page in marked} == {("620102",), ("620103",)}
    assert wrong_page([], 0) == []


def test_a_camera_that_was_taken_down_is_put_up_before_the_next_is_taken_down() -> None:
    cameras = [{"code": code, "version": 3, "state": "active"} for code in ("a", "b")]
    assert tended(cameras, TEND_EVERY + 1) is None
    assert tended([], TEND_EVERY) is None
    down = tended(cameras, TEND_EVERY)
    assert down is not None
    assert (down.version, down.state) == (3, "maintenance")
    cameras[1] = {"code": down.camera, "version": 4, "state": "maintenance"}
    up = tended(cameras, 2 * TEND_EVERY)
    assert up is not None
    assert (up.camera, up.version, up.state) == (down.camera, 4, "active")


def test_a_word_that_has_no_meaning_is_given_one_of_the_starter_edition_for_a_person_to_look_at() -> None:
    said = meaning({"kind": "bird", "protocol": "frigate", "zone": "", "camera": "c", "count": 3})
    assert said == {"kind": "bird", "protocol": "frigate", "category": A_WORD_MEANS, "mode": "review"}
    assert A_WORD_MEANS in {category.code for category in CATEGORIES}


def test_reviews_are_judged_in_every_way_and_a_few_are_left_for_others() -> None:
    waiting = [{"id": str(UUID(int=n)), "category": None if n % 2 else "200401"} for n in range(LEFT_WAITING + 400)]
    assert verdicts(waiting[:LEFT_WAITING], seed=1) == []
    assert len(verdicts(waiting[: LEFT_WAITING + 1], seed=1)) == 1
    found: Counter[str] = Counter()
    for n in range(0, 400, AT_A_SITTING):
        for judging in verdicts(waiting[n:], seed=1):
            found[judging.said["verdict"]] += 1
            mapped = int(UUID(judging.review)) % 2 == 0
            assert ("category" in judging.said) == (judging.said["verdict"] == "real" and not mapped)
    assert found["real"] > found["false"] > found["duplicate"] > 0


def test_somebody_with_work_is_replaced_by_a_colleague_of_his_line_who_is_there_and_has_least() -> None:
    def one(name: str, cases: int, line: str = "sanitation", on_duty: bool = True) -> dict[str, object]:
        officer = {"duty_line": line, "on_duty": on_duty, "open_cases": cases}
        return {"id": name, "username": name, "active": True, "officer": officer}

    people = [one("ann", 3), one("bob", 0), one("cem", 0, on_duty=False), one("dan", 0, line="social")]
    made = replaced(people, REPLACE_EVERY)
    assert made is not None
    assert (made.username, made.said["successor"]) == ("ann", "bob")
    assert replaced(people, REPLACE_EVERY + 1) is None
    assert replaced(people[1:], REPLACE_EVERY) is None, "nobody has work"
    assert replaced(people[:1] + people[2:], REPLACE_EVERY) is None, "nobody can take it"
