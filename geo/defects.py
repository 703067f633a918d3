"""What can be wrong with a set of outlines, each kind by one name, with its row and its place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import shapely


class Kind(StrEnum):
    """Every kind of defect; docs/rules/grid-import.md says of each what to do."""

    # the file
    UNREADABLE = "unreadable"
    NO_ROWS = "no_rows"
    MISSING_FIELD = "missing_field"
    ENCODING_UNKNOWN = "encoding_unknown"
    READER_WARNING = "reader_warning"
    # the frame
    MISSING_CRS = "missing_crs"
    WRONG_CRS = "wrong_crs"
    SWAPPED_AXES = "swapped_axes"
    FAR_FROM_THE_SET = "far_from_the_set"
    # one row
    MISSING_CODE = "missing_code"
    MALFORMED_CODE = "malformed_code"
    DUPLICATE_CODE = "duplicate_code"
    UNKNOWN_LEVEL = "unknown_level"
    UNKNOWN_PARENT = "unknown_parent"
    UNKNOWN_DIVISION = "unknown_division"
    EMPTY = "empty"
    NOT_A_POLYGON = "not_a_polygon"
    NOT_FINITE = "not_finite"
    THREE_D = "three_d"
    INVALID = "invalid"
    REPAIRED = "repaired"
    # rows together
    OVERLAP = "overlap"
    SLIVER_OVERLAP = "sliver_overlap"
    HOLE = "hole"
    SLIVER_GAP = "sliver_gap"
    OUTSIDE_ITS_DIVISION = "outside_its_division"
    CELL_IN_NO_BEAT = "cell_in_no_beat"
    BEAT_WITHOUT_CELLS = "beat_without_cells"


@dataclass(frozen=True)
class Defect:
    """One thing that is wrong: what, in which row, where.

    `row` counts the file's features from 1. `place` is lon, lat in WGS-84 where that is known, `shape`
    the part that is wrong, `area_m2` its area on the ellipsoid. A defect that does not refuse is a warning.
    """

    kind: Kind
    message: str
    refuses: bool = True
    row: int | None = None
    code: str | None = None
    place: tuple[float, float] | None = None
    shape: shapely.Geometry | None = None
    area_m2: float | None = None

    def __str__(self) -> str:
        where = [] if self.row is None else [f"row {self.row}"]
        where += [] if self.place is None else [f"at {self.place[0]:.6f},{self.place[1]:.6f}"]
        return f"{self.kind}{': ' if where else ''}{' '.join(where)}: {self.message}"


def as_geojson(defects: Iterable[Defect]) -> str:
    """The defects as a GeoJSON FeatureCollection, to be laid over a map; those without a place have null geometry."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "kind": defect.kind, "message": defect.message, "refuses": defect.refuses,
                "row": defect.row, "code": defect.code, "area_m2": defect.area_m2,
            },
            "geometry": _geometry(defect),
        }
        for defect in defects
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, allow_nan=False)


def _geometry(defect: Defect) -> Any:
    if defect.shape is not None and not shapely.is_empty(defect.shape):
        return json.loads(shapely.to_geojson(defect.shape))
    if defect.place is not None:
        return {"type": "Point", "coordinates": list(defect.place)}
    return None
