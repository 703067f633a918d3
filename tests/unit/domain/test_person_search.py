"""Who is meant by some words."""

from __future__ import annotations

import pytest

from gridsvc.domain.person_search import is_meant


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("", True), ("李伟", True), ("伟", True), ("liwei", True), ("li wei", True), ("lw", True), ("LIWEI", True),
        ("l.wei", True), ("b12", True), ("liwei b12", True), ("12", False), ("liwei b13", False), ("weili", False),
    ],
)  # fmt: skip
def test_a_name_is_found_by_its_characters_its_sound_or_initials_and_a_beat_by_how_it_begins(
    words: str, meant: bool
) -> None:
    assert is_meant(words, ("李伟", "l.wei"), ("B12-3",)) is meant


def test_words_of_several_people_find_nobody() -> None:
    assert not is_meant("李伟 王芳", ("李伟",))
