"""Voice notes that stand for spoken words: a tone in a WAV, small, and the same for the same number."""

from __future__ import annotations

import io
import math
import struct
import wave
from typing import Final

_RATE: Final = 8_000
_SECONDS: Final = 1.0


def voice_note(number: int) -> bytes:
    """A second of a tone that nobody will take for a voice; 16 kB, 5 ms."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        step = 2 * math.pi * (220 + number % 24 * 20) / _RATE
        samples = (int(8_000 * math.sin(step * at)) for at in range(int(_RATE * _SECONDS)))
        file.writeframes(b"".join(struct.pack("<h", each) for each in samples))
    return out.getvalue()
