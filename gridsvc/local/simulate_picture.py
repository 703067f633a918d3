"""Pictures that stand for photographs: drawn, small, and the same for the same number."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageDraw

from gridsvc.local.city_plan import dice

VARIETY: Final = 10_000
"""Different pictures there are; content is stored once, so a year of simulation fills one gigabyte at most.

So many, because a photograph that is used twice is flagged, and only those that somebody uses twice should be.
"""

_SIZE: Final = (960, 720)


def picture(number: int) -> bytes:
    """A JPEG of a street scene that nobody will take for a real one; about 30 kB, 15 ms."""
    rng = dice(f"picture {number % VARIETY}")
    image = Image.new("RGB", _SIZE, (rng.randint(150, 200), rng.randint(190, 220), rng.randint(220, 250)))
    draw = ImageDraw.Draw(image)
    left = 0
    while left < _SIZE[0]:
        width, top, grey = rng.randint(70, 180), rng.randint(120, 380), rng.randint(90, 190)
        draw.rectangle((left, top, left + width, 520), fill=(grey, grey - 10, grey - 25))
        for x in range(left + 12, left + width - 16, 28):
            for y in range(top + 16, 500, 36):
                draw.rectangle((x, y, x + 14, y + 20), fill=(235, 225, 150) if rng.random() < 0.3 else (60, 70, 90))
        left += width + rng.randint(4, 18)
    draw.rectangle((0, 520, *_SIZE), fill=(95, 95, 98))
    for x in range(rng.randint(0, 80), _SIZE[0], 120):
        draw.rectangle((x, 610, x + 60, 618), fill=(230, 230, 230))
    spot = rng.randint(150, 760), rng.randint(560, 660)
    draw.ellipse((spot[0], spot[1], spot[0] + 90, spot[1] + 40), fill=(40, 38, 36), outline=(200, 60, 40), width=4)
    draw.text((16, 690), f"simulated picture {number % VARIETY + 1} of {VARIETY}", fill=(255, 255, 255))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()
