"""What the tags of OpenStreetMap, or the columns of another file, say that the map draws: a pure reading.

The tables are those of docs/basemap.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Layer = Literal["roads", "water", "buildings"]

LAYERS: Final[tuple[Layer, ...]] = ("roads", "water", "buildings")

ROADS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("motorway", "motorway_link", "trunk", "trunk_link"), "motorway"),
    **dict.fromkeys(("primary", "primary_link"), "primary"),
    **dict.fromkeys(("secondary", "secondary_link", "tertiary", "tertiary_link"), "secondary"),
    **dict.fromkeys(("residential", "unclassified", "living_street", "service", "road", "busway"), "residential"),
    **dict.fromkeys(
        ("path", "footway", "cycleway", "pedestrian", "steps", "track", "bridleway", "corridor", "sidewalk"), "path"
    ),
}
"""The class of each value of `highway`; a road of another value is not drawn."""

WATER: Final[Mapping[str, str]] = {
    **dict.fromkeys(("river", "riverbank"), "river"),
    **dict.fromkeys(("canal",), "canal"),
    **dict.fromkeys(("stream", "ditch", "drain", "brook", "wadi"), "stream"),
    **dict.fromkeys(("lake", "lagoon", "oxbow"), "lake"),
    **dict.fromkeys(("pond", "basin", "fountain", "moat", "swimming_pool"), "pond"),
    **dict.fromkeys(("reservoir",), "reservoir"),
    **dict.fromkeys(("water", "yes"), "water"),
    **dict.fromkeys(("ocean", "sea", "bay", "strait", "dock"), "sea"),
    **dict.fromkeys(("channel",), "channel"),
}
"""The class of each value of `water` (with `natural=water`), `waterway`, `natural` (bay, strait), `landuse`."""

STOREY_M: Final = 3.0
"""How high a storey is taken to be where a file says storeys and no height."""

MOST_HEIGHT_M: Final = 1_000.0
MOST_LEVELS: Final = 250


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns say what. `layer`: all rows are of it, and `kind` names the column of their class.

    Without a layer the tags of OpenStreetMap are read.
    """

    layer: Layer | None = None
    kind: str | None = None
    name: str = "name"
    height: str = "height"
    levels: str = "building:levels"


@dataclass(frozen=True)
class Ground:
    """A thing as the map draws it."""

    layer: Layer
    kind: str
    name: str
    height_m: float | None = None
    levels: int | None = None


@dataclass(frozen=True)
class Unread:
    """A value that says nothing to us: the thing is drawn without it."""

    field: str
    given: str
    wanted: str


def ground_of(tags: Mapping[str, str], *, area: bool, columns: Columns) -> tuple[Ground | None, list[Unread]]:
    """What is drawn of a line or an area with these tags; None where nothing is.

    `area`: its shape is one. Buildings are areas, roads are lines, water is either.
    """
    name = tags.get(columns.name, "").strip()
    layer, kind = (_given(tags, columns) if columns.layer else _tagged(tags)) or (None, "")
    if layer is None or (layer == "buildings") > area or (layer == "roads" and area):
        return None, []
    if layer != "buildings":
        return Ground(layer, kind, name), []
    levels, few = _levels(tags, columns.levels)
    height, low = _height(tags, columns.height)
    if height is None and levels is not None:
        height = levels * STOREY_M
    return Ground(layer, kind, name, height, levels), [*low, *few]


def _given(tags: Mapping[str, str], columns: Columns) -> tuple[Layer, str] | None:
    layer, word = columns.layer, tags.get(columns.kind or "", "").strip().lower()
    if layer == "roads":
        kind = ROADS.get(word) if columns.kind else "residential"
        return ("roads", kind) if kind else None
    if layer == "water":
        return "water", WATER.get(word, "water")
    return "buildings", word or "yes"


def _tagged(tags: Mapping[str, str]) -> tuple[Layer, str] | None:
    building = tags.get("building", "no")
    if building != "no":
        return "buildings", building
    road = ROADS.get(tags.get("highway", ""))
    if road is not None:
        return "roads", road
    water = _water(tags)
    return None if water is None else ("water", water)


def _water(tags: Mapping[str, str]) -> str | None:
    natural, landuse, way = tags.get("natural", ""), tags.get("landuse", ""), tags.get("waterway", "")
    if natural == "water":
        return WATER.get(tags.get("water", "water"), "water")
    if natural in {"bay", "strait"} or landuse in {"basin", "reservoir"} or way:
        return WATER.get(natural if natural in {"bay", "strait"} else way or landuse)  # a dam is no water
    return None


_METRES: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:m|metres?|meters?|米)?")
_FEET: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:ft|feet|')(?:\s*(\d+(?:\.\d+)?)\s*(?:in|\"))?")


def _height(tags: Mapping[str, str], field: str) -> tuple[float | None, list[Unread]]:
    text = tags.get(field, "").strip().lower()
    if not text:
        return None, []
    height = None
    if metres := _METRES.fullmatch(text):
        height = float(metres[1].replace(",", "."))
    elif feet := _FEET.fullmatch(text):
        height = (float(feet[1]) + float(feet[2] or 0) / 12) * 0.3048
    if height is None or not 0 < height <= MOST_HEIGHT_M:
        return None, [Unread(field, text, f"metres above 0 and to {MOST_HEIGHT_M:g}, or feet as 40' or 40 ft")]
    return round(height, 2), []


def _levels(tags: Mapping[str, str], field: str) -> tuple[int | None, list[Unread]]:
    """Half a storey counts as one."""
    text = tags.get(field, "").strip()
    if not text:
        return None, []
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", text) or not 0 < float(text) <= MOST_LEVELS:
        return None, [Unread(field, text, f"storeys above 0 and to {MOST_LEVELS}")]
    return -int(-float(text) // 1), []
