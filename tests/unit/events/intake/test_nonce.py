"""A nonce carries its birth, and nobody else can make one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from events.intake.nonce import born_at, make_nonce

KEY, CHANCE = b"k" * 32, b"12345678"
AT = datetime(2026, 11, 20, 8, 0, 0, 123_000, tzinfo=UTC)


def test_when_it_was_made_can_be_read_from_it() -> None:
    assert born_at(KEY, make_nonce(KEY, AT, CHANCE)) == AT


def test_two_of_one_moment_differ() -> None:
    assert make_nonce(KEY, AT, CHANCE) != make_nonce(KEY, AT, b"87654321")


@pytest.mark.parametrize("spoilt", ["", "zz", "ab", "00" * 30, "é"])
def test_any_other_text_is_none_of_ours(spoilt: str) -> None:
    assert born_at(KEY, spoilt) is None


def test_a_nonce_of_another_key_or_with_another_birth_is_none_of_ours() -> None:
    nonce = make_nonce(KEY, AT, CHANCE)
    assert born_at(b"x" * 32, nonce) is None
    later = f"{int(nonce[:12], 16) + 60_000:012x}"
    assert born_at(KEY, later + nonce[12:]) is None
