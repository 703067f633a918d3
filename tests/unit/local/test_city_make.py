"""The demo city as it is made: the same every time, tiled by cells, walked by officers."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from geo.codes import NATIONAL, division_fault, level_of, parent_code
from geo.coverage import overlaps
from geo.projection import area_m2
from gridsvc.domain.access import Role
from gridsvc.domain.camera import code_wanted, parts_of
from gridsvc.domain.gazetteer import PlaceKind
from gridsvc.domain.shift import on_shift
from gridsvc.local.city_ground import CENTRE
from gridsvc.local.city_make import make_city
from gridsvc.local.city_people import LABELS, ROTA, TEAMS, officer_name
from gridsvc.local.city_plan import City
from gridsvc.local.starter import CATEGORIES, DEPARTMENTS, DUTY_LINES

LANZHOU = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(7)


def test_the_same_seed_makes_the_same_city(city: City) -> None:
    assert make_city(7) == city


def test_another_seed_makes_another_city(city: City) -> None:
    other = make_city(8)
    assert [cell.outline for cell in other.land.cells] != [cell.outline for cell in city.land.cells]
    assert [person.display_name for person in other.people] != [person.display_name for person in city.people]


def test_at_least_three_thousand_cells_of_about_ten_thousand_square_metres(city: City) -> None:
    areas = np.array([area_m2(cell.outline) for cell in city.land.cells])
    assert len(areas) >= 3_000
    assert 9_000 < areas.mean() < 11_000
    assert areas.min() > 4_000
    assert areas.max() < 18_000


def test_cells_are_irregular_and_valid(city: City) -> None:
    outlines = np.array([cell.outline for cell in city.land.cells])
    assert shapely.is_valid(outlines).all()
    rectangularity = shapely.area(outlines) / shapely.area(shapely.oriented_envelope(outlines))
    assert np.median(rectangularity) < 0.95


def test_cells_lie_around_lanzhou(city: City) -> None:
    west, south, east, north = shapely.total_bounds([cell.outline for cell in city.land.cells])
    assert west < CENTRE[0] < east
    assert south < CENTRE[1] < north
    assert east - west < 0.25
    assert north - south < 0.1


def test_cells_tile_each_division_exactly(city: City) -> None:
    assert shapely.coverage_is_valid([cell.outline for cell in city.land.cells])
    for division in city.land.divisions:
        inside = [c.outline for c in city.land.cells if division.level == "city" or c.code.startswith(division.code)]
        assert shapely.coverage_union_all(inside).symmetric_difference(division.outline).area == 0, division.code


def test_no_cell_overlaps_another_by_the_importers_own_check(city: City) -> None:
    codes, outlines = [c.code for c in city.land.cells], [c.outline for c in city.land.cells]
    assert overlaps(codes, outlines) == []


def test_codes_follow_the_national_scheme(city: City) -> None:
    assert [NATIONAL.fault(cell.code) for cell in city.land.cells] == [None] * len(city.land.cells)
    assert all(cell.code.startswith(cell.division) for cell in city.land.cells)
    for division in city.land.divisions:
        assert division_fault(division.code, NATIONAL) is None
        assert level_of(division.code) == division.level
        assert division.parent == (None if division.level == "city" else parent_code(division.code))
        assert division.path[-1] == division.code


def test_the_four_urban_districts_are_there(city: City) -> None:
    districts = {d.code: d.name for d in city.land.divisions if d.level == "district"}
    assert districts == {"620102": "城关区", "620103": "七里河区", "620104": "西固区", "620105": "安宁区"}


def test_cells_of_a_community_are_numbered_from_the_north_and_in_a_row_from_the_west(city: City) -> None:
    communities = defaultdict(list)
    for cell in city.land.cells:
        communities[cell.division].append(cell.outline.centroid)
    for middles in communities.values():
        rows = [[middles[0]]]
        for before, middle in pairwise(middles):
            if middle.x > before.x:
                rows[-1].append(middle)
            else:
                rows.append([middle])
        assert len({len(row) for row in rows}) == 1
        wests = [row[0].y for row in rows]
        assert wests == sorted(wests, reverse=True)


def test_every_cell_lies_in_one_beat_of_each_duty_line(city: City) -> None:
    codes = Counter(cell.code for cell in city.land.cells)
    for line in DUTY_LINES:
        assert Counter(code for b in city.beats if b.duty_line == line.code for code in b.cells) == codes


def test_a_beat_hangs_together(city: City) -> None:
    outlines = {cell.code: cell.outline for cell in city.land.cells}
    for beat in city.beats:
        assert shapely.coverage_union_all([outlines[c] for c in beat.cells]).geom_type == "Polygon", beat.code


def test_every_beat_whose_officers_handle_has_one_at_work_at_any_hour(city: City) -> None:
    week = [datetime(2026, 11, 23, 0, 30, tzinfo=UTC) + timedelta(hours=n) for n in range(7 * 24)]
    for line in ("social", "sanitation"):
        officers = [p for p in city.people if p.grant.duty_line == line]
        wanted = {beat.code for beat in city.beats if beat.duty_line == line}
        for moment in week:
            assert {b for p in officers if on_shift(p.shifts, moment, LANZHOU) for b in p.beats} == wanted


def test_sixty_officers_and_every_desk(city: City) -> None:
    roles = Counter(person.grant.role for person in city.people)
    assert roles[Role.OFFICER] >= 60
    assert set(roles) == set(Role)
    handled = {(p.grant.department, p.grant.division) for p in city.people if p.grant.role is Role.HANDLER}
    districts = {d.code for d in city.land.divisions if d.level == "district"}
    assert handled == {(department.code, district) for department in DEPARTMENTS for district in districts}
    levels = {d.code: d.level for d in city.land.divisions}
    supervised = {levels[p.grant.division] for p in city.people if p.grant.role is Role.SUPERVISOR}
    assert supervised == {"street", "district", "city"}


def test_officers_have_skills_and_some_are_in_a_team_of_their_line(city: City) -> None:
    skilled = [person for person in city.people if person.skills]
    assert {skill for person in skilled for skill in person.skills} >= {"boat", "first_aid", "ladder"}
    lines = {team.code: team.duty_line for team in TEAMS}
    members = [(team, person.grant.duty_line) for person in city.people for team in person.teams]
    assert {team for team, _ in members} == set(lines)
    assert all(lines[team] == line for team, line in members)


def test_user_names_are_unique_and_tell_the_post(city: City) -> None:
    names = [person.username for person in city.people]
    assert len(set(names)) == len(names)
    streets = [d.code for d in city.land.divisions if d.level == "street"]
    told = {
        officer_name(street, line, n + 1) for street in streets for line, rota in ROTA.items() for n in range(len(rota))
    }
    assert told == {person.username for person in city.people if person.shifts}


def test_forty_cameras_look_at_the_city(city: City) -> None:
    whole = next(d.outline for d in city.land.divisions if d.level == "city")
    assert len(city.cameras) >= 40
    assert all(shapely.Point(camera.place.lon, camera.place.lat).within(whole) for camera in city.cameras)
    assert all(len(camera.code) == 20 and code_wanted(camera.code) is None for camera in city.cameras)
    assert len({camera.code for camera in city.cameras}) == len(city.cameras)
    assert {kind for kind, _ in parts_of(city.cameras[3])} == {"view", "preset", "reach", "zone"}, "one in four turns"


def test_what_the_cameras_say_has_a_category_of_the_starter_edition() -> None:
    known = {category.code for category in CATEGORIES}
    assert {category for *_, category, mode in LABELS if mode != "off"} <= known


def test_buildings_have_heights_and_keep_off_river_and_main_roads(city: City) -> None:
    features = city.land.features
    buildings = shapely.STRtree([f.outline for f in features if f.layer == "buildings"])
    assert len(buildings.geometries) > 5_000
    assert all((f.height_m or 0) >= 3 for f in features if f.layer == "buildings")
    river = next(f.outline for f in features if f.kind == "river")
    assert len(buildings.query(river, predicate="intersects")) == 0
    for road in (f for f in features if f.kind in {"primary", "secondary"}):
        assert len(buildings.query(road.outline, predicate="intersects")) == 0, road.name


def test_the_river_flows_through_from_west_to_east_and_only_bridges_cross_it(city: City) -> None:
    river = next(f.outline for f in city.land.features if f.kind == "river")
    whole = next(d.outline for d in city.land.divisions if d.level == "city")
    ends, city_ends = shapely.bounds(river), shapely.bounds(whole)
    assert ends[0] - city_ends[0] < 0.002
    assert city_ends[2] - ends[2] < 0.002
    water = shapely.buffer(river, -1e-6)
    crossing = [f for f in city.land.features if f.layer == "roads" and shapely.intersects(f.outline, water)]
    assert 5 <= len(crossing) <= 15
    assert {road.kind for road in crossing} == {"primary"}


def test_components_have_codes_of_the_district_they_stand_in_and_names_of_their_own(city: City) -> None:
    assert 1_500 <= len(city.components) <= 2_500
    assert len({component.code for component in city.components}) == len(city.components)
    assert len({component.name for component in city.components}) == len(city.components)
    outlines = {d.code: d.outline for d in city.land.divisions if d.level == "district"}
    astray = [
        component.code
        for component in city.components
        if outlines[component.district].distance(shapely.Point(component.place.lon, component.place.lat)) > 0.00025
    ]
    assert astray == []  # 20 m, and a little: who stands just outside belongs to the nearest cell


def test_departments_of_components_are_those_of_the_starter_rules_and_some_are_nobodys(city: City) -> None:
    known = {department.code for department in DEPARTMENTS}
    named = {d for c in city.components for d in (c.owning, c.maintaining, c.supervising) if d is not None}
    assert named <= known
    assert any(component.owner_unknown for component in city.components)
    assert any(component.maintaining is None and component.owning for component in city.components)


def test_there_are_landmarks_in_every_community_and_house_numbers_on_both_sides(city: City) -> None:
    landmarks = [point for point in city.points if point.kind is PlaceKind.LANDMARK]
    houses = [point for point in city.points if point.kind is PlaceKind.ADDRESS]
    assert len(landmarks) == 3 * sum(division.level == "community" for division in city.land.divisions)
    assert {(point.house or 0) % 2 for point in houses} == {0, 1}
    assert len(houses) > 1_000
