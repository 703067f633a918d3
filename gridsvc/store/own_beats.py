"""The beats that an officer walks, with the outlines of their cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gridsvc.db import Statement


@dataclass(frozen=True)
class OwnCell:
    """One cell of one beat; `outline` is a GeoJSON geometry in WGS-84."""

    duty_line: str
    beat: str
    beat_name: str
    division: str
    code: str
    name: str
    outline: dict[str, Any]


# Six digits are a decimetre: what a phone draws, and half of what a cell would weigh otherwise.
CELLS_OF = Statement(
    OwnCell,
    """
    SELECT b.duty_line, b.code AS beat, b.name AS beat_name, b.division_code AS division, c.code, c.name,
           ST_AsGeoJSON(c.outline, 6)::jsonb AS outline
      FROM officer_beats o
      JOIN beats b ON b.grid_set_id = grid_set_at($2::timestamptz) AND b.duty_line = o.duty_line
                  AND b.code = o.beat_code
      JOIN beat_cells m ON m.grid_set_id = b.grid_set_id AND m.duty_line = b.duty_line AND m.beat_code = b.code
      JOIN cells c ON c.grid_set_id = m.grid_set_id AND c.code = m.cell_code
     WHERE o.officer_id = $1::uuid
     ORDER BY b.duty_line, b.code, c.code
    """,
)
