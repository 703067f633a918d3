"""The whole demo city from one seed."""

from __future__ import annotations

from gridsvc.local.city_ground import make_land, make_lattice
from gridsvc.local.city_people import make_beats, make_cameras, make_people, make_survey_car
from gridsvc.local.city_plan import SEED, City
from gridsvc.local.city_things import make_components, make_points


def make_city(seed: int = SEED) -> City:
    """Land, beats, people, cameras, and what stands there; takes about a second.

    The same seed gives the same city, to the last digit.
    """
    lattice = make_lattice(seed)
    land = make_land(seed, lattice)
    beats = make_beats(land)
    return City(
        seed=seed,
        land=land,
        beats=beats,
        people=make_people(seed, land, beats),
        cameras=make_cameras(seed, lattice),
        cars=(make_survey_car(lattice),),
        components=make_components(seed, land),
        points=make_points(seed, land),
    )
