"""Which ladder stands beside a clock: by severity, department (条), division (块) and duty line, the most exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gridsvc.domain.case_state import Clock

GENERAL: Final = "handling"
"""The handling's ladder of a category that names none of its own."""


@dataclass(frozen=True, kw_only=True)
class LadderUse:
    """Where a ladder holds. None: whatever it is."""

    clock: Clock
    ladder: str
    severity: str | None = None
    division: str | None = None  # and all below it
    duty_line: str | None = None
    department: str | None = None


def chosen(
    uses: Iterable[LadderUse],
    clock: Clock,
    severity: str,
    divisions: Sequence[str],
    duty_line: str,
    department: str | None,
) -> LadderUse | None:
    """The use that fits and is the most exact; None where none fits. `divisions` are codes from the top down.

    What names the severity comes before what does not; then what names the department; then the deepest
    division; then what names the duty line. Of two that are equal in all of it the first wins; a table
    has no two such (one_ladder_each).
    """
    best: LadderUse | None = None
    most: tuple[bool, bool, int, bool] | None = None
    for use in uses:
        if (
            use.clock != clock
            or use.severity not in {None, severity}
            or use.duty_line not in {None, duty_line}
            or use.department not in {None, department}
            or (use.division is not None and use.division not in divisions)
        ):
            continue
        depth = 0 if use.division is None else list(divisions).index(use.division) + 1
        exact = (use.severity is not None, use.department is not None, depth, use.duty_line is not None)
        if most is None or exact > most:
            best, most = use, exact
    return best
