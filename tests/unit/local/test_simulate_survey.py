"""The simulated survey car: what it posts is read by its mapping, where it was, and now and then outside the city."""

from __future__ import annotations

import json

from events.intake.camera_event import CameraEvent
from events.intake.mapped import parse, read_mapping
from geo.place import read_place
from gridsvc.local.city_people import LABELS
from gridsvc.local.simulate_survey import MAPPING, SurveyCar

STREETS = [(103.80, 36.06), (103.81, 36.07)]
MOMENT = "2026-11-26T08:00:00+00:00"


def test_each_sighting_is_read_with_its_own_place_and_a_category() -> None:
    car, mapping = SurveyCar(1, "run", STREETS, 0.5), read_mapping(MAPPING)
    known = {kind for protocol, kind, _, _, mode in LABELS if protocol == "*"}
    inside, keys = 0, set()
    for _ in range(400):
        message = car.look(MOMENT)
        if message is None:
            continue
        [event] = parse(json.dumps(message).encode(), "application/json", mapping)
        assert isinstance(event, CameraEvent), event
        assert event.spot is not None
        place = read_place(event.spot.lon, event.spot.lat, event.spot.datum)
        inside += any(abs(place.lon - lon) < 1e-5 and abs(place.lat - lat) < 1e-5 for lon, lat in STREETS)
        keys.add(event.key)
        assert event.kind in known
        assert event.at is not None
    assert car.sightings == len(keys) > 100
    assert inside == car.incidents == car.sightings - car.sightings // 12


def test_the_same_seed_drives_the_same_way() -> None:
    first, second = SurveyCar(3, "run", STREETS, 0.5), SurveyCar(3, "run", STREETS, 0.5)
    assert [first.look(MOMENT) for _ in range(50)] == [second.look(MOMENT) for _ in range(50)]
