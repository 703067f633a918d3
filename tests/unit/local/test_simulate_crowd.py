"""Simulated officers walk their own streets and work their own hours."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridsvc.errors import SetupError
from gridsvc.local.city_ground import Patch, community_patches
from gridsvc.local.city_plan import SEED, dice
from gridsvc.local.simulate_crowd import Demo, Walker, a_main, another_case, has_shift, next_crossing
from gridsvc.local.simulate_rules import SeenCase, is_main

LANZHOU = ZoneInfo("Asia/Shanghai")


def test_a_walk_goes_block_by_block_and_never_leaves_the_community() -> None:
    rng, patch, at = dice(3), Patch(4, 7, 2, 5), (4, 2)
    visited = set()
    for _ in range(500):
        before, at = at, next_crossing(at, patch, rng)
        assert abs(before[0] - at[0]) + abs(before[1] - at[1]) == 1
        visited.add(at)
    assert visited == {(i, j) for i in range(4, 8) for j in range(2, 6)}


def test_every_community_has_a_patch_and_no_two_share_a_cell() -> None:
    patches = community_patches(SEED)
    meshes = [(i, j) for p in patches.values() for i in range(p.west, p.east) for j in range(p.south, p.north)]
    assert len(meshes) == len(set(meshes)) >= 3_000


@pytest.mark.parametrize(
    ("number", "hour", "works"),
    [(1, 6, True), (1, 14, False), (3, 14, True), (5, 23, True), (5, 5, True), (5, 6, False)],
)
def test_the_rota_says_who_is_at_work(number: int, hour: int, works: bool) -> None:
    walker = Walker("officer", "620102001", "social", number, Patch(0, 1, 0, 1), (0, 0))
    assert has_shift(walker, datetime(2026, 11, 23, hour, 0, tzinfo=LANZHOU)) is works


def case(number: int, **other: object) -> SeenCase:
    told: dict[str, object] = {
        "id": f"case-{number}", "version": 2, "cycle": 1, "state": "assigned", "pool": None,
        "category": "starter:100101", "duty_line": "city",
        "divisions": ["620100", "620102", "620102001", "620102001001"],
        "assignment": None, "officer": None, "department": "water", "overdue": False,
        "returned_by": None, "order": None, "checker": None, "called": [], "responder": None,
        "extensions": 0, "sampled": False, "lon": 103.83, "lat": 36.06, "co_departments": [], "cause": None,
    }  # fmt: skip
    return SeenCase.of(told | other)


def test_a_case_is_merged_into_one_of_its_own_category_nearby_if_there_is_one() -> None:
    other = case(2, category="starter:200110")
    assert another_case(case(1), [case(1), other, case(3)]) == "case-3"
    assert another_case(case(1), [case(1), other]) == "case-2"


def test_a_case_is_linked_to_a_main_of_its_district_that_somebody_has_in_hand() -> None:
    mains = [number for number in range(2, 60) if is_main(case(number), 1)]
    [first, second, third, *_] = mains
    others = [
        case(first, state="handled"),
        case(second, divisions=["620100", "620103"]),
        case(third),
        case(next(number for number in range(2, 60) if number not in mains)),
    ]
    assert a_main(case(1), others, 1) == f"case-{third}"
    assert a_main(case(third), others, 1) is None


def test_a_case_is_never_merged_into_itself_a_closed_one_or_one_far_away() -> None:
    far = case(2, divisions=["620100", "620103", "620103001", "620103001001"])
    assert another_case(case(1), [case(1), far, case(3, state="closed")]) is None


def test_a_home_without_a_demo_city_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"demo\.json is not there"):
        Demo.read(tmp_path)


def test_a_damaged_demo_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "users": [{}]}))
    with pytest.raises(SetupError, match="is not whole"):
        Demo.read(tmp_path)
