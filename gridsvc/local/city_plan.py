"""What a demo city consists of, as values: land, beats, people, cameras. Nothing here knows a database."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import shapely

from gridsvc.domain.access import Grant
from gridsvc.domain.camera import Camera
from gridsvc.domain.component import Component
from gridsvc.domain.gazetteer_file import Point
from gridsvc.domain.shift import Shift

SEED: Final = 620100
"""The city that `gridsvc up` makes."""


def dice(seed: int | str) -> random.Random:
    """Random numbers that are the same for the same seed, on every machine and in every version of Python."""
    return random.Random(seed)  # noqa: S311 - a made-up city keeps no secret


@dataclass(frozen=True, kw_only=True)
class Division:
    """An administrative area. `path` are the codes from the city down to this one."""

    code: str
    name: str
    name_en: str
    level: str
    parent: str | None
    path: tuple[str, ...]
    outline: shapely.MultiPolygon


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A unit cell of a community; its outline (WGS-84) shares every vertex with its neighbours'."""

    code: str
    division: str
    management_level: str
    outline: shapely.Polygon


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The cells that one duty line looks after together."""

    duty_line: str
    code: str
    name: str
    division: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """Something that the map shows beneath the data. `layer` is roads, water or buildings."""

    layer: str
    name: str
    kind: str
    height_m: float | None
    outline: shapely.Geometry


@dataclass(frozen=True, kw_only=True)
class Land:
    """Everything that lies on the ground. Divisions top down, cells by code."""

    divisions: tuple[Division, ...]
    cells: tuple[Cell, ...]
    features: tuple[Feature, ...]


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user with one grant. Only an officer has shifts, beats (codes, all of the grant's duty line), skills, teams."""

    username: str
    display_name: str
    grant: Grant
    shifts: tuple[Shift, ...] = ()
    beats: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class City:
    """A whole demo city. The same seed gives the same city."""

    seed: int
    land: Land
    beats: tuple[Beat, ...]
    people: tuple[Person, ...]
    cameras: tuple[Camera, ...]
    cars: tuple[Camera, ...] = ()  # that carry a camera about: in the registry they stand at their depot
    components: tuple[Component, ...] = ()
    points: tuple[Point, ...] = ()
