"""What stands in the demo city: components of the register, landmarks and house numbers, all along its named roads."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely

from geo.locator import Locator
from geo.place import Place
from gridsvc.domain.component import Component, ComponentState
from gridsvc.domain.gazetteer import PlaceKind
from gridsvc.domain.gazetteer_file import Point
from gridsvc.local.city_plan import Feature, Land, dice

# Class, name, department that answers for it; None: the register says 不明.
_KINDS: Final = (
    ("0137", "路灯", "lighting"), ("0137", "路灯", "lighting"), ("0101", "上水井盖", "water"),
    ("0102", "污水井盖", "drainage"), ("0104", "雨水箅子", "drainage"), ("0111", "燃气井盖", "gas"),
    ("0130", "电力立杆", "power"), ("0217", "交通护栏", "traffic"), ("0220", "人行横道桩", "roads"),
    ("0402", "行道树", "greening"), ("0123", "不明井盖", None),
)  # fmt: skip
_STATES: Final = (*[ComponentState.INTACT] * 17, ComponentState.DAMAGED, ComponentState.LOST, ComponentState.UNKNOWN)

_LANDMARKS: Final = (
    ("小学", "小"), ("幼儿园", ""), ("农贸市场", "市场"), ("卫生服务中心", ""), ("文化广场", "广场"), ("派出所", ""),
    ("中学", ""), ("公园", ""), ("体育馆", ""), ("购物中心", ""), ("养老院", ""), ("停车场", ""),
)  # fmt: skip

_ASIDE: Final = 0.00005  # degrees, 5 m: at the edge of the road, so not on the border of two cells


def make_components(seed: int, land: Land) -> tuple[Component, ...]:
    """Two at every second crossing of the larger roads, with codes of the district they stand in."""
    rng = dice(f"{seed}/components")
    spots = [(road.name, at) for road in _larger(land) for at in _crossings(road)[::2] for _ in range(2)]
    places = [_beside(rng, at) for _, at in spots]
    cells = _cells_at(land, places)
    in_class: Counter[str] = Counter()
    on_road: Counter[str] = Counter()
    made = []
    for (road, _), place, cell in zip(spots, places, cells, strict=True):
        kind, called, department = rng.choice(_KINDS)
        if cell is None:
            continue  # beyond the city's edge
        block, name = cell[:6] + kind, road + called
        in_class[block] += 1
        on_road[name] += 1
        code = f"{block}{in_class[block]:06d}"
        made.append(_component(rng, code, f"{name}{on_road[name]:03d}号", department, place))
    return tuple(made)


def _component(rng: random.Random, code: str, name: str, department: str | None, place: Place) -> Component:
    """One in five has no maintaining department of its own: who owns it answers for it."""
    return Component(
        code=code,
        name=name,
        state=rng.choice(_STATES),
        supervising=None if department is None else "roads",
        owning=department,
        owner_unknown=department is None,
        maintaining=None if rng.random() < 0.2 else department,
        note="",
        place=place,
        surveyed=(place.lon, place.lat),
        frame="wgs84",
    )


def make_points(seed: int, land: Land) -> tuple[Point, ...]:
    """House numbers on both sides of the larger roads, and three landmarks in every community."""
    rng = dice(f"{seed}/points")
    return (*_houses(rng, land), *_landmarks(rng, land))


def _houses(rng: random.Random, land: Land) -> Iterator[Point]:
    """Odd numbers on one side, even ones on the other; they rise from the west, or from the south."""
    for road in _larger(land):
        for number, at in enumerate(_crossings(road)[1::3]):
            for side in (1, 2):
                house = 8 * number + side
                yield _point(PlaceKind.ADDRESS, f"{road.name}{house}号", (), road.name, house, _beside(rng, at))


def _landmarks(rng: random.Random, land: Land) -> Iterator[Point]:
    cells: dict[str, list[shapely.Polygon]] = {}
    for cell in land.cells:
        cells.setdefault(cell.division, []).append(cell.outline)
    for division in land.divisions:
        if division.level != "community":
            continue
        first = division.name.removesuffix("社区")
        for (kind, short), outline in zip(rng.sample(_LANDMARKS, 3), rng.sample(cells[division.code], 3), strict=True):
            middle = outline.centroid
            place = Place(round(middle.x, 7), round(middle.y, 7))
            aliases = (first + short,) if short else ()
            yield _point(PlaceKind.LANDMARK, first + kind, aliases, "", None, place)


def _point(kind: PlaceKind, name: str, aliases: tuple[str, ...], road: str, house: int | None, place: Place) -> Point:
    return Point(
        kind=kind, name=name, aliases=aliases, road=road, house=house, place=place, given=(place.lon, place.lat),
        frame="wgs84",
    )  # fmt: skip


def _larger(land: Land) -> list[Feature]:
    """The roads that are more than a lane."""
    return [each for each in land.features if each.layer == "roads" and each.kind != "residential"]


def _crossings(road: Feature) -> list[tuple[float, float]]:
    """The corners of a road that are crossings of the lattice: every second one, see Lattice.row."""
    corners = shapely.get_coordinates(road.outline)[::2]
    return [(float(lon), float(lat)) for lon, lat in corners]


def _beside(rng: random.Random, at: tuple[float, float]) -> Place:
    east, north = (rng.choice((-1, 1)) * _ASIDE * rng.uniform(1, 4) for _ in range(2))
    return Place(round(at[0] + east, 7), round(at[1] + north, 7))


def _cells_at(land: Land, places: list[Place]) -> list[str | None]:
    cells = Locator([cell.code for cell in land.cells], [cell.outline for cell in land.cells])
    found = cells.locate_many(np.array([p.lon for p in places]), np.array([p.lat for p in places]))
    return [None if each is None else each.code for each in found]
