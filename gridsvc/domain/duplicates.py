"""When two cases may be one thing: the same category, near each other, at about the same time.

Offered, never acted upon: only a person can see whether two bins are one (docs/rules/duplicates.md).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

WITHIN_M: Final = 50.0
"""How far apart, in metres on the ellipsoid."""

WITHIN: Final = timedelta(hours=24)
"""How long before or after."""

AT_MOST: Final = 5
"""So many are offered, the nearest first."""
