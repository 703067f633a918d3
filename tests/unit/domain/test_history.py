"""The chain of a case's history: whatever is done to its rows afterwards is found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.domain.history import ROOT, Break, Entry, breaks, chained, fold

CASE = UUID(int=7)
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def history(rows: int, case_id: UUID = CASE) -> list[Entry]:
    """A case's first `rows` rows, chained."""
    found: list[Entry] = []
    before = ROOT
    for version in range(1, rows + 1):
        entry = chained(
            Entry(
                case_id=case_id,
                version=version,
                move="note",
                from_state="filed",
                to_state="filed",
                actor=f"user:{UUID(int=version)}",
                at=MORNING + timedelta(minutes=version),
                facts={"note": f"第{version}条", "distance_m": 12.5},
                before=before,
            )
        )
        found.append(entry)
        before = entry.hash
    return found


def found_in(rows: list[Entry], last: Entry) -> list[Break]:
    """What is wrong with `rows`, for a case that says it stands at `last`."""
    return breaks(rows, last.version, last.hash)


def test_a_chain_that_nobody_touched_holds() -> None:
    assert found_in(history(5), history(5)[-1]) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("move", "close"),
        ("from_state", None),
        ("to_state", "closed"),
        ("actor", "user:somebody-else"),
        ("at", MORNING),
        ("facts", {"note": "第3条", "distance_m": 12.6}),
        ("facts", {}),
        ("case_id", UUID(int=8)),
    ],
)
def test_an_edited_row_is_found(column: str, value: Any) -> None:
    rows = history(5)
    rows[2] = replace(rows[2], **{column: value})
    assert "was edited after it was written" in {each.what for each in found_in(rows, history(5)[-1])}


def test_an_edited_row_that_is_hashed_anew_breaks_the_row_after_it() -> None:
    rows = history(5)
    rows[2] = chained(replace(rows[2], actor="user:somebody-else"))
    assert found_in(rows, history(5)[-1]) == [Break(CASE, 4, "does not follow the row before it")]


@pytest.mark.parametrize("gone", range(5))
def test_a_row_that_was_taken_out_is_found_wherever_it_stood(gone: int) -> None:
    rows = history(5)
    del rows[gone]
    assert found_in(rows, history(5)[-1]) != []


def test_rows_missing_at_the_end_are_found_by_what_the_case_says_of_itself() -> None:
    assert found_in(history(3), history(5)[-1]) == [Break(CASE, 3, "the case is at version 5, its history ends at 3")]


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 3), (3, 4)])
def test_rows_that_changed_places_are_found(one: int, other: int) -> None:
    """Swapping the rows' versions is how SQL would do it: they come back in the order of their versions."""
    rows = history(5)
    first, second = rows[one], rows[other]
    rows[one], rows[other] = replace(second, version=first.version), replace(first, version=second.version)
    assert found_in(rows, history(5)[-1]) != []


def test_a_history_written_anew_from_some_row_on_is_found_by_the_hash_that_the_case_names() -> None:
    kept, rows = history(5), history(5)[:2]
    for row in kept[2:]:
        rows.append(chained(replace(row, actor="user:somebody-else", before=rows[-1].hash)))
    assert found_in(rows, kept[-1]) == [Break(CASE, 5, "the case names another hash as its last")]


def test_a_row_put_in_between_is_found() -> None:
    rows = history(4)
    rows.insert(2, chained(replace(rows[2], before=rows[1].hash)))
    assert found_in(rows, history(4)[-1]) != []


def test_a_row_of_another_case_is_no_row_of_this_one() -> None:
    stolen = history(3, UUID(int=8))
    assert found_in([history(1)[0], *stolen[1:]], history(3)[-1]) != []


def test_the_hour_of_another_zone_is_the_same_moment_and_the_same_hash() -> None:
    row = history(1)[0]
    abroad = replace(row, at=row.at.astimezone(timezone(timedelta(hours=8))))
    assert found_in([abroad], row) == []


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15)
values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(facts=st.dictionaries(words, values, max_size=4), micros=st.integers(0, 10**12))
def test_a_row_that_went_through_json_text_and_back_still_holds(facts: dict[str, Any], micros: int) -> None:
    row = chained(replace(history(1)[0], facts=facts, at=MORNING + timedelta(microseconds=micros)))
    for spaced in (json.dumps(facts, indent=2), json.dumps(facts, ensure_ascii=False, sort_keys=True)):
        assert found_in([replace(row, facts=json.loads(spaced))], row) == []


def test_what_is_no_number_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        chained(replace(history(1)[0], facts={"distance_m": float("nan")}))


def test_the_fold_of_a_day_does_not_depend_on_the_order_of_its_cases() -> None:
    heads = [(UUID(int=n), bytes([n]) * 32) for n in range(5)]
    assert fold(heads) == fold(reversed(heads))


def test_the_fold_of_a_day_changes_with_any_case_of_it() -> None:
    heads = [(UUID(int=n), bytes([n]) * 32) for n in range(5)]
    others = [heads[1:], [*heads, (UUID(int=9), ROOT)], [*heads[:-1], (UUID(int=4), ROOT)],
              [(UUID(int=n), bytes([4 - n]) * 32) for n in range(5)]]  # fmt: skip
    assert len({fold(heads), *(fold(each) for each in others)}) == 5
