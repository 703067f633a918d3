"""The people of the demo city and what they look after: beats, officers with shifts, desks, handlers, cameras."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import time
from typing import Final

import shapely

from geo.codes import beat_code
from geo.place import Place
from geo.projection import ELLIPSOID
from geo.view import Look
from gridsvc.domain.access import Grant, Role
from gridsvc.domain.camera import Camera
from gridsvc.domain.roster import Team
from gridsvc.domain.shift import Shift
from gridsvc.local import city_names as names
from gridsvc.local.city_ground import COLUMNS, ROWS, ROWS_SOUTH, Lattice
from gridsvc.local.city_plan import Beat, Division, Land, Person, dice
from gridsvc.local.starter import DEPARTMENTS, DUTY_LINES

CITY: Final = names.CITY[0]


def _daily(starts: int, ends: int) -> tuple[Shift, ...]:
    return tuple(Shift(weekday, time(starts), time(ends)) for weekday in range(1, 8))


MORNING: Final = _daily(6, 14)
AFTERNOON: Final = _daily(14, 22)
NIGHT: Final = _daily(22, 6)

# Per street. The lines whose officers handle are staffed round the clock; city management's only report.
ROTA: Final = {
    "social": (MORNING, MORNING, AFTERNOON, AFTERNOON, NIGHT),
    "city": (MORNING, AFTERNOON),
    "sanitation": (MORNING, AFTERNOON, NIGHT),
}

HEADED: Final = "water"  # the department that has a supervisor of its own
# What every such officer of a street can do besides, by his number in ROTA.
SKILLS: Final = {
    ("social", 1): ("first_aid", "mediation"), ("social", 3): ("mediation",), ("social", 5): ("first_aid",),
    ("city", 1): ("ladder",), ("sanitation", 1): ("boat",), ("sanitation", 3): ("boat", "snow"),
}  # fmt: skip

TEAMS: Final = (
    Team(code="flood", name="防汛队", name_en="Flood crew", duty_line="sanitation"),
)
_IN_TEAM: Final = {("sanitation", 1): ("flood",), ("sanitation", 3): ("flood",)}

IN_TRAINING: Final = ("social", 2)
"""Whose officers of the first three streets are in training for a day after the city is made."""

CAMERAS: Final = 48
_PROTOCOLS: Final = ("hikvision", "dahua", "onvif", "gat1400", "frigate", "cloudevents")
_VENDORS: Final = ("海康威视", "大华", "宇视", "华为", "Frigate", "自研")

LABELS: Final = (
    ("*", "exposed_garbage", "*", "200110", "automatic"),
    ("*", "overflowing_bin", "*", "200192", "automatic"),
    ("*", "street_vendor", "*", "200401", "review"),
    ("*", "parked_bicycles", "*", "200410", "automatic"),
    ("*", "flooded_road", "*", "200506", "automatic"),
    ("*", "blocked_fire_lane", "*", "300302", "automatic"),
    ("hikvision", "fielddetection", "fire_lane", "300302", "review"),
    ("dahua", "parkingdetection", "*", "300302", "review"),
    ("dahua", "leftdetection", "*", "200110", "review"),
    ("frigate", "car", "fire_lane", "300302", "automatic"),
    ("frigate", "car", "*", "", "off"),
    ("frigate", "person", "*", "", "off"),
    ("hikvision", "motiondetection", "*", "", "off"),
    ("dahua", "videomotion", "*", "", "off"),
)
"""What the demo city's cameras mean: protocol, kind, zone, category of the starter edition, mode."""


def make_beats(land: Land) -> tuple[Beat, ...]:
    """One beat of city management per community, two of social governance, one of sanitation per street."""
    cells: dict[str, list[str]] = {}
    for cell in land.cells:
        cells.setdefault(cell.division, []).append(cell.code)
    beats: list[Beat] = []
    for division in land.divisions:
        here = [code for community in sorted(cells) if community.startswith(division.code) for code in cells[community]]
        if division.level == "street":
            beats.append(_beat("sanitation", division, 1, here))
        elif division.level == "community":
            # Codes run row by row from the north, so each half hangs together.
            middle = len(here) // 2
            beats += [
                _beat("city", division, 1, here),
                _beat("social", division, 1, here[:middle]),
                _beat("social", division, 2, here[middle:]),
            ]
    return tuple(beats)


def _beat(duty_line: str, division: Division, number: int, cells: Sequence[str]) -> Beat:
    return Beat(
        duty_line=duty_line,
        code=beat_code(division.code, number),
        name=f"{division.name}第{number}网格",
        division=division.code,
        cells=tuple(cells),
    )


def make_people(seed: int, land: Land, beats: Sequence[Beat]) -> tuple[Person, ...]:
    """Everybody who can sign in. User names tell role and place; the names of people are invented."""
    rng = dice(f"{seed}/people")
    posts = [*_city_posts(), *_district_posts(land), *_street_posts(land, beats)]
    return tuple(
        Person(
            username=username, display_name=_name(rng), grant=grant, shifts=shifts, beats=on,
            skills=SKILLS.get(post, ()), teams=_IN_TEAM.get(post, ()),
        )
        for username, grant, shifts, on in posts
        for post in [(grant.duty_line or "", int(username.rpartition("-")[2]) if shifts else 0)]
    )


def officer_name(street: str, duty_line: str, number: int) -> str:
    """The user name of a street's `number`-th officer (from 1, as in ROTA) of a duty line."""
    return f"officer-{street}-{duty_line}-{number}"


def handler_name(department: str, district: str) -> str:
    """The user name of a department's handler in a district."""
    return f"handler-{department}-{district}"


def desk_name(role: str, division: str) -> str:
    """The user name of a desk of a division; the city's own need no code."""
    return role if division == CITY else f"{role}-{division}"


_Post = tuple[str, Grant, tuple[Shift, ...], tuple[str, ...]]


def _city_posts() -> Iterator[_Post]:
    for role in (Role.ADMIN, Role.AUDITOR, Role.SUPERVISOR, Role.DISPATCHER, Role.ACCEPTOR):
        yield desk_name(role, CITY), Grant(role=role, division=CITY), (), ()
    # The head of a line: what is late in his company is his to hear, whatever the district.
    head = Grant(role=Role.SUPERVISOR, division=CITY, department=HEADED)
    yield desk_name(Role.SUPERVISOR, HEADED), head, (), ()


def _district_posts(land: Land) -> Iterator[_Post]:
    for district in (division.code for division in land.divisions if division.level == "district"):
        for role in (Role.SUPERVISOR, Role.DISPATCHER, Role.ACCEPTOR):
            yield desk_name(role, district), Grant(role=role, division=district), (), ()
        for department in DEPARTMENTS:
            handler = Grant(role=Role.HANDLER, division=district, department=department.code)
            yield handler_name(department.code, district), handler, (), ()


def _street_posts(land: Land, beats: Sequence[Beat]) -> Iterator[_Post]:
    for street in (division.code for division in land.divisions if division.level == "street"):
        for desk in (Role.SUPERVISOR, Role.DISPATCHER):
            yield desk_name(desk, street), Grant(role=desk, division=street), (), ()
        for line in DUTY_LINES:
            here = [beat for beat in beats if beat.duty_line == line.code and beat.division.startswith(street)]
            grant = Grant(role=Role.OFFICER, division=street, duty_line=line.code)
            for number, shifts in enumerate(ROTA[line.code], start=1):
                yield officer_name(street, line.code, number), grant, shifts, _beats_of(number, shifts, here)


def _beats_of(number: int, shifts: tuple[Shift, ...], here: Sequence[Beat]) -> tuple[str, ...]:
    """Two social officers share a day shift: one leaves out the last community, the other the first."""
    divisions = sorted({beat.division for beat in here})
    if shifts is NIGHT or here[0].duty_line != "social":
        return tuple(beat.code for beat in here)
    skipped = divisions[-1] if number % 2 else divisions[0]
    return tuple(beat.code for beat in here if beat.division != skipped)


def _name(rng: random.Random) -> str:
    given = rng.choice(names.GIVEN_SECOND)
    if rng.random() < 0.7:
        given = rng.choice(names.GIVEN_FIRST) + given
    return rng.choice(names.SURNAMES) + given


def make_cameras(seed: int, lattice: Lattice) -> tuple[Camera, ...]:
    """Cameras on poles at crossings of the larger roads, each looking along one of them."""
    rng = dice(f"{seed}/cameras")
    corners = [
        (i, j)
        for i in range(7, COLUMNS, 7)
        for j in range(2, ROWS - 1)
        if j % 4 == 0 or j in (ROWS_SOUTH - 1, ROWS_SOUTH + 1)
    ]
    chosen = sorted(rng.sample(corners, CAMERAS))
    return tuple(_camera(rng, number, lattice, i, j) for number, (i, j) in enumerate(chosen, start=1))


def camera_code(number: int) -> str:
    """GB/T 28181: 8 digits of the centre, 2 of the trade, 3 of the kind (132 network camera), 7 of the device."""
    return f"{CITY}0000132{number:07d}"


SURVEY_CAR: Final = "SURVEY-CAR-1"


def make_survey_car(lattice: Lattice) -> Camera:
    """A car with cameras all around; its depot is at a crossing in the middle of the city."""
    lon, lat = (float(value) for value in lattice.crossings[COLUMNS // 2, ROWS_SOUTH // 2])
    return Camera(
        code=SURVEY_CAR, name="巡查车1号", place=Place(lon, lat), given=(lon, lat), frame="wgs84", height_m=2.0,
        look=Look(bearing_deg=0, field_deg=360, near_m=3, far_m=30), protocol="mapped", vendor="自研",
    )  # fmt: skip


def _camera(rng: random.Random, number: int, lattice: Lattice, i: int, j: int) -> Camera:
    lon, lat = (float(value) for value in lattice.crossings[i, j])
    height_m = float(rng.choice((5.5, 6.0, 6.5, 8.0)))
    look = Look(
        bearing_deg=float((90 * rng.randrange(4) + rng.randint(-15, 15)) % 360),
        field_deg=float(rng.choice((45, 60, 75, 90))),
        near_m=float(rng.choice((3, 5, 8))),
        far_m=float(rng.choice((60, 80, 110, 150))),
    )
    kind = number % len(_PROTOCOLS)
    ptz = number % 4 == 0
    back = Look((look.bearing_deg + 180) % 360, look.field_deg, look.near_m, look.far_m)
    return Camera(
        code=camera_code(number),
        name=f"路口{number:02d}号",
        place=Place(lon, lat),
        given=(lon, lat),
        frame="wgs84",
        height_m=height_m,
        look=look,
        protocol=_PROTOCOLS[kind],
        vendor=_VENDORS[kind],
        names=(
            ("mac", f"02:62:01:00:{number // 256:02x}:{number % 256:02x}"),
            ("name", f"crossing_{number:02d}"),
            ("serial", f"DEMO{number:06d}"),
        ),
        maintaining="traffic",
        ptz=ptz,
        streams=(f"rtsp://10.62.{number // 256}.{number % 256}/main",),
        presets={"back": back} if ptz else {},
        zones={"fire_lane": _ahead(lon, lat, look)},
    )


def _ahead(lon: float, lat: float, look: Look) -> shapely.Point:
    """The ground in the middle of the picture, a third of the way out: where a fire lane would be."""
    metres = look.near_m + (look.far_m - look.near_m) / 3
    east, north, _ = ELLIPSOID.fwd(lon, lat, (look.bearing_deg + 180) % 360 - 180, metres)
    return shapely.Point(float(east), float(north))
