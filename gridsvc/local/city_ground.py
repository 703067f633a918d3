"""The ground of the demo city: a river valley whose streets are the edges of its cells.

Everything hangs on one lattice. Its columns run across the valley and its rows along the river; each crossing
is shaken a little, and so is the middle of each edge between two crossings. A cell is one mesh of the lattice,
a street is a line of its edges, a community is a patch of meshes: so cells share every vertex with their
neighbours and tile their community exactly, without anything being cut.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from gridsvc.local import city_names as names
from gridsvc.local.city_plan import Cell, Division, Feature, Land, dice

_Points = npt.NDArray[np.float64]

CENTRE: Final = (103.83, 36.06)  # WGS-84; the middle of Lanzhou's valley
COLUMNS: Final = 140
ROWS_SOUTH: Final = 15
ROWS_NORTH: Final = 13
ROWS: Final = ROWS_SOUTH + ROWS_NORTH
MESH_M: Final = 100.0  # 万米单元网格: about 10 000 m² each
HALF_RIVER_M: Final = 90.0
STOREY_M: Final = 3.0
DECIMALS: Final = 9  # of a degree: a tenth of a millimetre, so the last bits of a sine do not matter

_COMMUNITY_MESHES: Final = 47  # about half a square kilometre
_COMMUNITIES_PER_STREET: Final = 4


@dataclass(frozen=True)
class Patch:
    """Meshes in columns west ≤ i < east and rows south ≤ j < north."""

    west: int
    east: int
    south: int
    north: int

    @property
    def meshes(self) -> int:
        return (self.east - self.west) * (self.north - self.south)


# 西固 in the west, 七里河 south and 安宁 north of the river, 城关 in the east: as the real ones lie.
DISTRICT_PATCHES: Final = (
    ("620104", Patch(0, 46, 0, ROWS_SOUTH)),
    ("620104", Patch(0, 46, ROWS_SOUTH, ROWS)),
    ("620103", Patch(46, 93, 0, ROWS_SOUTH)),
    ("620105", Patch(46, 93, ROWS_SOUTH, ROWS)),
    ("620102", Patch(93, COLUMNS, 0, ROWS_SOUTH)),
    ("620102", Patch(93, COLUMNS, ROWS_SOUTH, ROWS)),
)


@dataclass(frozen=True)
class Lattice:
    """Crossings (i, j) and the middles of edges, in WGS-84 degrees; i counts from the west, j from the south.

    `along[i, j]` lies between crossings (i, j) and (i + 1, j), `across[i, j]` between (i, j) and (i, j + 1).
    """

    crossings: _Points
    along: _Points
    across: _Points

    def mesh(self, i: int, j: int) -> _Points:
        """The eight corners of a mesh, counter-clockwise from the south-west."""
        return np.array(
            [
                self.crossings[i, j], self.along[i, j],
                self.crossings[i + 1, j], self.across[i + 1, j],
                self.crossings[i + 1, j + 1], self.along[i, j + 1],
                self.crossings[i, j + 1], self.across[i, j],
            ]
        )  # fmt: skip

    def row(self, j: int, west: int = 0, east: int = COLUMNS) -> _Points:
        """The line of edges along row line `j`, west to east."""
        line = np.empty((2 * (east - west) + 1, 2))
        line[::2] = self.crossings[west : east + 1, j]
        line[1::2] = self.along[west:east, j]
        return line

    def column(self, i: int, south: int = 0, north: int = ROWS) -> _Points:
        """The line of edges along column line `i`, south to north."""
        line = np.empty((2 * (north - south) + 1, 2))
        line[::2] = self.crossings[i, south : north + 1]
        line[1::2] = self.across[i, south:north]
        return line


def make_land(seed: int, lattice: Lattice) -> Land:
    """River, streets, divisions, cells, buildings on the lattice of the same seed."""
    communities = list(_communities(seed))
    cells = [cell for community in communities for cell in _cells_of(community, lattice)]
    return Land(
        divisions=tuple(_divisions(communities, cells)),
        cells=tuple(sorted(cells, key=lambda cell: cell.code)),
        features=(*_water(lattice), *_roads(seed, lattice), *_buildings(seed, lattice)),
    )


# -- the lattice ------------------------------------------------------------------------------


def make_lattice(seed: int) -> Lattice:
    """Lay rows along a meandering river, columns across it, and shake both."""
    rng = dice(f"{seed}/lattice")
    easting = _spaced(rng, COLUMNS)
    easting -= easting[-1] / 2
    south, north = _spaced(rng, ROWS_SOUTH - 1), _spaced(rng, ROWS_NORTH - 1)
    northing = np.concatenate([-HALF_RIVER_M - south[::-1], [0.0], HALF_RIVER_M + north])
    u, v = np.meshgrid(easting, northing, indexing="ij")
    # The river bends by a shear, which keeps every area as it was; nothing is squeezed on the inner bank.
    plane = np.stack([u + 80 * np.sin(v / 600 + u / 2500), v + river_bend(u)], axis=-1)
    _shake(rng, plane, 11.0, calm=range(ROWS_SOUTH - 1, ROWS_SOUTH + 2))
    along = (plane[:-1] + plane[1:]) / 2
    across = (plane[:, :-1] + plane[:, 1:]) / 2
    _shake(rng, along, 5.0, calm=range(ROWS_SOUTH - 1, ROWS_SOUTH + 2))
    _shake(rng, across, 5.0, calm=())
    return Lattice(_degrees(plane), _degrees(along), _degrees(across))


def river_bend(easting: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far north of the city's centre the river flows, in metres, at an easting."""
    bend: npt.NDArray[np.float64] = 350 * np.sin(easting * (2 * math.pi / 9000) + 0.6) + 120 * np.sin(
        easting * (2 * math.pi / 3500)
    )
    return bend


def _spaced(rng: random.Random, count: int) -> npt.NDArray[np.float64]:
    """`count` + 1 positions from 0 up, MESH_M apart on average."""
    return np.cumsum([0.0, *(rng.uniform(0.86, 1.14) * MESH_M for _ in range(count))])


def _shake(rng: random.Random, points: _Points, most_m: float, calm: Sequence[int]) -> None:
    """Move each point by at most `most_m`; on the river's own lines less, so that its banks stay smooth."""
    columns, rows, _ = points.shape
    for i in range(columns):
        for j in range(rows):
            reach = 2.0 if j in calm else most_m
            points[i, j] += (rng.uniform(-reach, reach), rng.uniform(-reach, reach))


def _degrees(plane: _Points) -> _Points:
    """Metres east and north of CENTRE as degrees: affine, so what is straight stays straight.

    Radii of WGS-84 at the centre; over this city areas come out within 0.1 %.
    """
    latitude = math.radians(CENTRE[1])
    bulge = 1 - 0.00669437999014 * math.sin(latitude) ** 2
    north_radius = 6378137.0 * (1 - 0.00669437999014) / bulge**1.5
    east_radius = 6378137.0 / math.sqrt(bulge) * math.cos(latitude)
    per_metre = np.degrees([1 / east_radius, 1 / north_radius])
    degrees: _Points = np.round(np.array(CENTRE) + plane * per_metre, DECIMALS)
    return degrees


# -- divisions and cells ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Community:
    code: str
    name: str
    street: str
    street_name: str
    district: str
    patch: Patch


def _communities(seed: int) -> Iterator[_Community]:
    rng = dice(f"{seed}/divisions")
    streets = {district: iter(known) for district, known in names.STREETS.items()}
    for district, patch in DISTRICT_PATCHES:
        for street_patch in _split(rng, patch, round(patch.meshes / _COMMUNITY_MESHES / _COMMUNITIES_PER_STREET)):
            sequence, street_name = next(streets[district])
            called = _community_names(rng)
            for number, part in enumerate(_split(rng, street_patch, _COMMUNITIES_PER_STREET), start=1):
                street = district + sequence
                yield _Community(f"{street}{number:03d}", next(called), street, street_name, district, part)


def community_patches(seed: int) -> dict[str, Patch]:
    """Where on the lattice each community lies, by code."""
    return {community.code: community.patch for community in _communities(seed)}


def _community_names(rng: random.Random) -> Iterator[str]:
    firsts = rng.sample(names.COMMUNITY_FIRST, len(names.COMMUNITY_FIRST))
    for first in firsts:
        yield f"{first}{rng.choice(names.COMMUNITY_SECOND)}社区"


def _split(rng: random.Random, patch: Patch, parts: int) -> list[Patch]:
    """Cut a patch into `parts` of about the same size, always across its longer side."""
    if parts <= 1:
        return [patch]
    first = parts // 2
    share = first / parts + rng.uniform(-0.05, 0.05)
    if patch.east - patch.west >= patch.north - patch.south:
        cut = patch.west + max(1, round((patch.east - patch.west) * share))
        halves = Patch(patch.west, cut, patch.south, patch.north), Patch(cut, patch.east, patch.south, patch.north)
    else:
        cut = patch.south + max(1, round((patch.north - patch.south) * share))
        halves = Patch(patch.west, patch.east, cut, patch.north), Patch(patch.west, patch.east, patch.south, cut)
    return _split(rng, halves[0], first) + _split(rng, halves[1], parts - first)


def _cells_of(community: _Community, lattice: Lattice) -> Iterator[Cell]:
    """The cells of one community, numbered row by row from the north, each row from the west."""
    patch = community.patch
    meshes = ((i, j) for j in reversed(range(patch.south, patch.north)) for i in range(patch.west, patch.east))
    for number, (i, j) in enumerate(meshes, start=1):
        yield Cell(
            code=f"{community.code}{number:03d}",
            division=community.code,
            management_level=_management_level(i, j),
            outline=shapely.Polygon(lattice.mesh(i, j)),
        )


def _management_level(i: int, j: int) -> str:
    """A along the river in the middle of a district, C at the city's edge, B between."""
    if 3 <= i < COLUMNS - 3 and abs(j - ROWS_SOUTH) <= 6:
        return "A"
    return "C" if j in (0, 1, ROWS - 2, ROWS - 1) else "B"


def _divisions(communities: Sequence[_Community], cells: Sequence[Cell]) -> Iterator[Division]:
    """City, districts, streets, communities; each outline is the union of the cells below it."""
    city, city_name, city_name_en = names.CITY
    yield _division(city, city_name, city_name_en, "city", (), cells)
    for district, (name, name_en) in names.DISTRICTS.items():
        yield _division(district, name, name_en, "district", (city,), cells)
    for street, name in sorted({community.street: community.street_name for community in communities}.items()):
        yield _division(street, name, "", "street", (city, street[:6]), cells)
    for community in sorted(communities, key=lambda one: one.code):
        above = (city, community.district, community.street)
        yield _division(community.code, community.name, "", "community", above, cells)


def _division(
    code: str, name: str, name_en: str, level: str, above: tuple[str, ...], cells: Sequence[Cell]
) -> Division:
    inside = [cell.outline for cell in cells if not above or cell.division.startswith(code)]
    whole = shapely.coverage_union_all(inside)
    parts = [whole] if isinstance(whole, shapely.Polygon) else shapely.get_parts(whole).tolist()
    return Division(
        code=code,
        name=name,
        name_en=name_en,
        level=level,
        parent=above[-1] if above else None,
        path=(*above, code),
        outline=shapely.MultiPolygon(parts),
    )


# -- what the map shows beneath ---------------------------------------------------------------


def _water(lattice: Lattice) -> Iterator[Feature]:
    banks = np.concatenate([lattice.row(ROWS_SOUTH - 1), lattice.row(ROWS_SOUTH + 1)[::-1]])
    yield _feature("water", names.RIVER[0], "river", shapely.Polygon(banks))
    width = 7 / 111_000  # 14 m of flood channel (洪道), dry most of the year
    for name, i in zip(names.FLOOD_CHANNELS, (24, 58, 87, 121), strict=True):
        line = lattice.column(i, 0, ROWS_SOUTH - 1) if i % 2 else lattice.column(i, ROWS_SOUTH + 1, ROWS)
        yield _feature("water", name, "channel", shapely.LineString(line).buffer(width, cap_style="flat"))


def _roads(seed: int, lattice: Lattice) -> Iterator[Feature]:
    rng = dice(f"{seed}/roads")
    along, across = iter(names.ROADS_ALONG * 3), iter(names.ROADS_ACROSS * 3)
    yield _road(names.SOUTH_BANK, "primary", lattice.row(ROWS_SOUTH - 1))
    yield _road(names.NORTH_BANK, "primary", lattice.row(ROWS_SOUTH + 1))
    for j in range(ROWS + 1):
        if abs(j - ROWS_SOUTH) > 1:
            if j % 4 == 0:
                yield _road(next(along), "secondary", lattice.row(j))
            else:
                yield from (_lane(rng, lattice.row(j, west, east)) for west, east in _pieces(rng, 0, COLUMNS))
    for i in range(COLUMNS + 1):
        if i % 14 == 7:
            yield _road(next(across), "primary", lattice.column(i))  # over the river by a bridge
            continue
        for south, north in ((0, ROWS_SOUTH - 1), (ROWS_SOUTH + 1, ROWS)):
            if i % 7 == 0:
                yield _road(next(across), "secondary", lattice.column(i, south, north))
            else:
                yield from (_lane(rng, lattice.column(i, low, high)) for low, high in _pieces(rng, south, north))


def _pieces(rng: random.Random, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Stretches of a line that carry a lane; about a quarter carries none."""
    while start < end:
        stop = min(end, start + rng.randint(3, 9))
        if rng.random() < 0.75:
            yield start, stop
        start = stop


def _lane(rng: random.Random, line: _Points) -> Feature:
    return _road(f"{rng.choice(names.LANES)}{rng.choice(names.LANES)}巷", "residential", line)


def _road(name: str, kind: str, line: _Points) -> Feature:
    return _feature("roads", name, kind, shapely.LineString(line))


# Shares of a mesh, (west, south, east, north), that buildings stand on; streets keep the rim free.
_PLANS: Final = (
    ((0.18, 0.20, 0.82, 0.80),),
    ((0.15, 0.18, 0.85, 0.40), (0.15, 0.60, 0.85, 0.82)),
    ((0.15, 0.15, 0.85, 0.30), (0.15, 0.43, 0.85, 0.58), (0.15, 0.70, 0.85, 0.85)),
    ((0.16, 0.16, 0.40, 0.40), (0.60, 0.16, 0.84, 0.40), (0.16, 0.60, 0.40, 0.84), (0.60, 0.60, 0.84, 0.84)),
    ((0.15, 0.15, 0.35, 0.85), (0.48, 0.55, 0.85, 0.85)),
)
_KINDS: Final = ("commercial", "apartments", "apartments", "tower", "public")


def _buildings(seed: int, lattice: Lattice) -> Iterator[Feature]:
    rng = dice(f"{seed}/buildings")
    for i in range(COLUMNS):
        for j in range(ROWS):
            if j in (ROWS_SOUTH - 1, ROWS_SOUTH) or rng.random() < 0.07:
                continue  # river, or a park
            plan = rng.randrange(len(_PLANS))
            for west, south, east, north in _PLANS[plan]:
                ring = [
                    _inside(lattice, i, j, *at) for at in ((west, south), (east, south), (east, north), (west, north))
                ]
                yield _feature("buildings", "", _KINDS[plan], shapely.Polygon(ring), _height(rng, i, j, _KINDS[plan]))


def _inside(lattice: Lattice, i: int, j: int, s: float, t: float) -> tuple[float, float]:
    """The point at shares `s` eastward and `t` northward of a mesh, between its four crossings."""
    at = lattice.crossings
    low = at[i, j] * (1 - s) + at[i + 1, j] * s
    high = at[i, j + 1] * (1 - s) + at[i + 1, j + 1] * s
    point = np.round(low * (1 - t) + high * t, DECIMALS)
    return float(point[0]), float(point[1])


def _height(rng: random.Random, i: int, j: int, kind: str) -> float:
    """Storeys of STOREY_M; towers rise towards the two centres of the city."""
    nearness = max(math.exp(-math.hypot(i - column, j - row) / 12) for column, row in ((112, 10), (62, 11)))
    storeys = {"tower": rng.randint(9, 18) + rng.random() * 26 * nearness, "apartments": rng.randint(4, 8)}.get(
        kind, rng.randint(2, 6) + rng.random() * 10 * nearness
    )
    return round(storeys) * STOREY_M


def _feature(layer: str, name: str, kind: str, outline: shapely.Geometry, height_m: float | None = None) -> Feature:
    return Feature(layer=layer, name=name, kind=kind, height_m=height_m, outline=outline)
