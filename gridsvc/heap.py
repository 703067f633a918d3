"""How the collector of garbage is set for a process that answers for days."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 10_000
"""So many new objects before the young are walked. With CPython's 700 a report in seven hundred waited for a walk over
everything that is held: of a web process that took reports, 15 % of its time went there, and the slowest answer
of a hundred took 100 ms instead of 45 (docs/performance.md)."""
_ROUNDS: Final = (20, 10)  # walks of the young before the middle ones are walked, and of those before the old


def settle() -> None:
    """Call once everything is loaded: what exists by now stays unwalked, and walks become seldom. Twice is harmless."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *_ROUNDS)
