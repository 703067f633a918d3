"""Files that simulated people send: notes that the service keeps, pictures that are told apart, few sent twice."""

from __future__ import annotations

import io
import random
from collections import Counter

from PIL import Image

from gridsvc.domain.likeness import HIGH, WIDE, look_of, twin_of
from gridsvc.domain.sound import sound_kind
from gridsvc.local.simulate_picture import picture
from gridsvc.local.simulate_rules import picture_number
from gridsvc.local.simulate_sound import voice_note


def test_a_simulated_voice_note_is_one_that_the_service_keeps() -> None:
    assert sound_kind(voice_note(1)) == "audio/wav"
    assert voice_note(1) == voice_note(25) != voice_note(2)


def test_pictures_of_different_numbers_do_not_look_the_same() -> None:
    looks = []
    for number in range(40):
        with Image.open(io.BytesIO(picture(number))) as image:
            looks.append(look_of(image.convert("L").resize((WIDE, HIGH), Image.Resampling.BOX).tobytes()))
    assert [
        (one, other) for one in range(40) for other in range(one) if twin_of(looks[one], looks[other]) is not None
    ] == []


def test_few_photographs_serve_twice_and_some_do() -> None:
    rng = random.Random(1)
    counted = Counter(picture_number(rng) for _ in range(1_000))
    again = sum(times for number, times in counted.items() if number < 5)
    assert 20 <= again <= 80
