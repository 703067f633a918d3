"""Photographs that look the same: through scaling and another quality, and not when they only resemble."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance

from gridsvc.domain.likeness import ALIKE, HIGH, PARTS, WIDE, distance, look_of, parts_of, twin_of

LOOKS = st.integers(-(2**63), 2**63 - 1)


def scene(seed: int) -> Image.Image:
    """A street as a child draws it: patches of light and dark, never twice the same."""
    dice = random.Random(seed)
    image = Image.new("RGB", (800, 600), (dice.randrange(80, 200),) * 3)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        left, top = dice.randrange(800), dice.randrange(600)
        draw.rectangle((left, top, left + dice.randrange(20, 300), top + dice.randrange(20, 200)),
                       fill=tuple(dice.randrange(256) for _ in range(3)))  # fmt: skip
    return image


def look(image: Image.Image) -> int | None:
    return look_of(image.convert("L").resize((WIDE, HIGH), Image.Resampling.BOX).tobytes())


def saved(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue()))


@pytest.mark.parametrize("seed", range(8))
def test_the_same_photograph_smaller_poorer_and_brighter_looks_the_same(seed: int) -> None:
    image = scene(seed)
    first = look(image)
    for again in (saved(image, 40), image.resize((333, 250)), ImageEnhance.Brightness(image).enhance(1.1)):
        assert twin_of(first, look(again)) is not None


def test_no_two_of_two_hundred_scenes_look_the_same() -> None:
    looks = [look(scene(seed)) for seed in range(200)]
    assert [
        (one, other) for one in range(200) for other in range(one) if twin_of(looks[one], looks[other]) is not None
    ] == []


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_covered_lens_looks_like_nothing(grey: int) -> None:
    assert look(Image.new("RGB", (100, 100), (grey,) * 3)) is None
    assert twin_of(None, None) is None


def test_a_hash_of_other_fields_is_none() -> None:
    with pytest.raises(ValueError, match="want 72"):
        look_of(bytes(71))


def test_one_bit_in_each_part_is_beyond_reach_or_the_index_would_miss_it() -> None:
    one, other = 0, sum(1 << part * 16 for part in range(PARTS))
    assert not set(parts_of(one)) & set(parts_of(other))
    assert twin_of(one, other) is None


@given(LOOKS, st.sets(st.integers(0, 63), max_size=ALIKE))
def test_hashes_within_reach_share_a_part_so_that_an_index_finds_them(one: int, bits: set[int]) -> None:
    other = one
    for bit in bits:
        other ^= -(2**63) if bit == 63 else 1 << bit
    assert distance(one, other) == len(bits)
    assert twin_of(one, other) == len(bits)
    assert set(parts_of(one)) & set(parts_of(other))


@given(LOOKS, LOOKS)
def test_the_distance_is_the_same_both_ways(one: int, other: int) -> None:
    assert distance(one, other) == distance(other, one) <= 64
