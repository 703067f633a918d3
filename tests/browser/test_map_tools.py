"""The tools of the map: what is drawn is selected, what is measured is right, and all of it without a mouse too."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any, Final
from uuid import uuid4

import pytest
from PIL import Image
from playwright.async_api import Page, Playwright, expect
from pyproj import Geod

from tests.browser.conftest import BILLS, LITTER, PATIENCE_MS, Desk, Town, Visit, chromium, sign_in, visiting
from tests.browser.test_bench import see
from tests.browser.test_centre import is_accessible, picture, row

expect.set_options(timeout=PATIENCE_MS)

_WGS84: Final = Geod(ellps="WGS84")


async def idle(page: Page) -> None:
    await page.wait_for_selector(".map[data-idle]")


async def on_screen(page: Page, lon: float, lat: float) -> tuple[float, float]:
    """Where a place of the map is on the screen."""
    x, y = await page.evaluate(
        """([lon, lat]) => {
          const map = document.querySelector('.map').map, box = map.getContainer().getBoundingClientRect();
          const at = map.project([lon, lat]);
          return [box.left + at.x, box.top + at.y];
        }""",
        [lon, lat],
    )
    return x, y


async def jump(page: Page, lon: float, lat: float, zoom: float) -> None:
    await page.evaluate(
        "([lon, lat, zoom]) => document.querySelector('.map').map.jumpTo({center: [lon, lat], zoom})", [lon, lat, zoom]
    )
    await idle(page)


async def take(page: Page, tool: str) -> None:
    await page.get_by_role("button", name="Draw, measure, find a component").click()
    await page.get_by_role("button", name=tool, exact=True).click()
    await expect(page.locator(".tool-bar.in-hand")).to_be_visible()


async def click(page: Page, *places: tuple[float, float]) -> None:
    """With a hand's way between the clicks, as terra-draw wants it."""
    for lon, lat in places:
        x, y = await on_screen(page, lon, lat)
        await page.mouse.move(x, y, steps=3)
        await page.mouse.click(x, y)


async def picked(page: Page) -> set[str]:
    await page.wait_for_selector(".bulk")
    return set(await page.eval_on_selector_all(".row.picked", "rows => rows.map(each => each.dataset.case)"))


async def listed(page: Page) -> set[str]:
    return set(await page.eval_on_selector_all("[data-case]", "rows => rows.map(each => each.dataset.case)"))


async def exported(visit: Visit, town: Town) -> set[str]:
    """The ids of the file that the list offers under the filters as they stand."""
    await visit.page.click("#list-menu-button")
    address = await visit.page.get_attribute("#list-menu a:has-text('GeoJSON')", "href")
    await visit.page.click("#list-menu-button")
    answer = await town.client.call("GET", str(address), who=await town.person("supervisor"))
    assert answer.status == 200, answer.body
    return {each["id"] for each in answer.body["features"]}


async def test_what_is_drawn_is_selected_and_can_be_sent_to_somebody(desk: Desk, town: Town) -> None:
    one, other, third = [await town.report(category) for category in (LITTER, BILLS, LITTER)]
    async with desk("supervisor", size=(1280, 1000), query="panel=cases") as visit:
        page = visit.page
        await expect(row(visit, third)).to_be_visible()
        await idle(page)
        loaded = "performance.getEntriesByType('resource').filter(each => each.name.includes('terra-draw')).length"
        assert await page.evaluate(loaded) == 0
        places = await page.evaluate(_PLACES)
        lon, lat = places[one["id"]]
        inside = {id_ for id_, (x, y) in places.items() if abs(x - lon) < 0.004 and abs(y - lat) < 0.003}
        assert 0 < len(inside) < len(places)
        await jump(page, lon, lat, 14.5)

        # It is painted to its edges: a browser without a graphics card once left a strip out.
        for edge in ({"x": 460, "y": 49}, {"x": 460, "y": 910}):
            shot = await page.screenshot(clip={**edge, "width": 500, "height": 25})
            assert len(Image.open(io.BytesIO(shot)).convert("RGB").getcolors(500 * 25) or []) > 3, edge

        await take(page, "Rectangle")
        await page.wait_for_function(f"() => {loaded} >= 2")
        await click(page, (lon - 0.004, lat - 0.003), (lon + 0.004, lat + 0.003))
        await expect(page.locator(".chip")).to_contain_text("In this area")
        assert await picked(page) == inside
        assert await listed(page) == inside
        assert await exported(visit, town) == inside
        await picture(visit, "tools-area")

        # Another tool in place of it: a circle, then a triangle; each is what the ground says, not the screen.
        await take(page, "Circle")
        await click(page, (lon, lat), (lon + 0.003, lat))
        radius = re.search(r"area=circle,[\d.]+,[\d.]+,([\d.]+)", page.url)
        await expect(page.locator(".chip")).to_contain_text("In this area")
        await page.wait_for_url("**area=circle**")
        radius = re.search(r"area=circle,[\d.]+,[\d.]+,([\d.]+)", page.url)
        assert radius is not None
        assert float(radius[1]) == pytest.approx(_WGS84.inv(lon, lat, lon + 0.003, lat)[2], rel=0.02)
        within = {id_ for id_, (x, y) in places.items() if _WGS84.inv(lon, lat, x, y)[2] < float(radius[1])}
        assert await listed(page) == within
        assert await exported(visit, town) == within

        await take(page, "Polygon")
        await click(page, (lon - 0.003, lat - 0.002), (lon + 0.003, lat - 0.002), (lon, lat + 0.003))
        await expect(page.locator(".tool-figure")).to_contain_text("ha")
        await page.get_by_role("button", name="Done").click()
        await page.wait_for_url("**area=ring**")
        assert one["id"] in await picked(page)
        now = await listed(page)
        await page.reload()
        await page.wait_for_selector(".is-live .age.live")
        await expect(page.locator(".chip")).to_contain_text("In this area")
        await expect(row(visit, one)).to_be_visible()
        assert await listed(page) == now
        await page.locator(".chip").click()
        await expect(row(visit, other)).to_be_visible()

        # By keyboard: a cell by its code, then all that is listed.
        await page.get_by_role("button", name="Filter", exact=True).click()
        await page.get_by_label("Cell", exact=True).fill(one["cell"])
        await page.get_by_role("button", name="Done").click()
        await expect(page.locator(".chip")).to_contain_text(one["cell"])
        await page.keyboard.press("a")
        cells = {id_ for id_ in await listed(page) if (await town.case(id_))["cell"] == one["cell"]}
        assert await picked(page) == cells == await exported(visit, town)


_PLACES: Final = """async () => {
  const here = document.querySelector('script[type=module]').src;
  const { cases } = await import(new URL('city.js', here));
  const placed = [...cases.value.values()].filter(each => each.lon !== null);
  return Object.fromEntries(placed.map(each => [each.id, [each.lon, each.lat]]));
}"""


async def test_what_is_measured_is_the_ground_and_needs_no_mouse(browser: Any, desk: Desk, town: Town) -> None:
    spots = [(103.8343, 36.0611), (103.84, 36.0655), (103.9, 36.02), (103.2, 36.9), (104.5, 35.1), (116.39, 39.91)]
    tiny = [(103.83, 36.06), (103.8301, 36.06), (103.8301, 36.0601), (103.83, 36.0601)]
    rings = [spots[:3], [(103.6, 36.0), (104.1, 35.95), (104.0, 36.3)], tiny]
    async with visiting(browser, town, lang="en", theme="dark", size=(1280, 720)) as visit:
        lengths, areas, ends, named = await visit.page.evaluate(_GEODESY, [spots, rings])
    wanted = [_WGS84.inv(*one, *other)[2] for one in spots for other in spots]
    assert lengths == pytest.approx(wanted, abs=1e-3)
    for found, ring in zip(areas, rings, strict=True):
        lons, lats = [lon for lon, _ in ring], [lat for _, lat in ring]
        assert found == pytest.approx(abs(_WGS84.polygon_area_perimeter(lons, lats)[0]), rel=1e-5)
    for (lon, lat), spot in zip(ends, spots, strict=True):
        assert _WGS84.inv(*spot, lon, lat)[2] == pytest.approx(1234, abs=1e-3)
    assert named == [True, True, False, False, None, None, None]

    async with desk("dispatcher", theme="light", query="panel=cases") as visit:
        page = visit.page
        await idle(page)
        await take(page, "Distance")
        await page.get_by_role("button", name="Point at the map's middle").press("Enter")
        from_ = await page.evaluate(_MIDDLE)
        await page.locator(".map canvas").focus()
        await page.keyboard.press("ArrowRight")
        await page.wait_for_function(f"lon => Math.abs({_MIDDLE}[0] - lon) > 0.0001", arg=from_[0])
        await idle(page)
        await page.get_by_role("button", name="Point at the map's middle").press("Enter")
        to = await page.evaluate(_MIDDLE)
        await page.get_by_role("button", name="Done").press("Enter")
        shown = await page.locator(".tool-figure").inner_text()
        metres = float(shown.split()[0].replace(",", "")) * (1000 if shown.endswith("km") else 1)
        assert metres == pytest.approx(_WGS84.inv(*from_, *to)[2], rel=0.01)
        await is_accessible(visit)
        await picture(visit, "tools-measure")
        await page.keyboard.press("Escape")
        await expect(page.locator(".tool-bar")).to_have_count(0)
        # Along a way by mouse; the last point again ends it.
        await take(page, "Distance")
        lon, lat = await page.evaluate(_MIDDLE)
        await click(page, (lon, lat), (lon + 0.02, lat), (lon + 0.02, lat + 0.01))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Measure again")).to_be_visible()


_MIDDLE: Final = "(() => { const { lng, lat } = document.querySelector('.map').map.getCenter(); return [lng, lat]; })()"

_GEODESY: Final = """async ([spots, rings]) => {
  const here = document.querySelector('script[type=module]').src;
  const { areaOf, metresApart, spotAt } = await import(new URL('../shared/geodesy.js', here));
  const { contains, readArea } = await import(new URL('area.js', here));
  const ring = readArea('ring,0,0,4,0,4,4,2,2,0,4');
  return [
    spots.flatMap(one => spots.map(other => metresApart(one, other))), rings.map(areaOf),
    spots.map((spot, n) => spotAt(spot, n * 70, 1234)),
    [contains(ring, [1, 1]), contains(ring, [2, 2]), contains(ring, [2, 3]), contains(ring, [5, 1]),
     readArea('ring,0,0,4,4,4,0,0,4'), readArea('box,4,0,0,4'), readArea('circle,103,36')],
  ];
}"""


async def test_the_plain_map_has_the_tools_too(playwright: Playwright, town: Town) -> None:
    case = await town.report(BILLS)
    plain = await playwright.chromium.launch(executable_path=chromium(), args=["--disable-3d-apis"])
    try:
        async with visiting(plain, town, lang="en", theme="light", size=(1280, 720)) as visit:
            await sign_in(visit, town, "supervisor")
            page = visit.page
            await page.get_by_role("button", name="Cases", exact=True).click()
            places = await page.evaluate(_PLACES)
            await take(page, "Rectangle")
            box = await page.locator(".plain-map > svg").bounding_box()
            assert box is not None
            for x, y in ((0.2, 0.8), (0.7, 0.4)):
                await page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
            await page.wait_for_url("**area=box**")
            area = re.search(r"area=box,([\d.]+),([\d.]+),([\d.]+),([\d.]+)", page.url)
            assert area is not None
            west, south, east, north = map(float, area.groups())
            inside = {id_ for id_, (x, y) in places.items() if west <= x <= east and south <= y <= north}
            assert await listed(page) == inside
            assert await picked(page) == inside
            await picture(visit, "tools-plain")
            assert case["id"] in places
    finally:
        await plain.close()


async def test_cells_by_one_category_the_heat_and_components_from_near_by(desk: Desk, town: Town) -> None:
    for category in (LITTER, BILLS, BILLS):
        await town.report(category)
    lamps = await town.client.call("GET", "/api/v1/components?class=0137&limit=2", who=await town.person("supervisor"))
    lamp, other = lamps.body["items"]
    about = await town.client.call(
        "POST", "/api/v1/reports", who=await town.person("acceptor"), key=str(uuid4()),
        body={"category": "100137", "description": "灯不亮", "component": lamp["code"]},
    )  # fmt: skip
    assert about.status == 201, about.body
    case = about.body["case"]
    async with desk("supervisor", size=(1920, 1080), query="panel=cases") as visit:
        page = visit.page
        await idle(page)
        await page.click(".legend > button")
        await page.get_by_role("radio", name="one category").check()
        option = await page.locator(".legend option", has_text=BILLS).get_attribute("value")
        await page.get_by_label("Which category").select_option(str(option))
        wanted, coloured = await page.evaluate(_COLOURED, BILLS)
        assert coloured == wanted
        assert sum(wanted.values()) > 0
        await page.get_by_role("checkbox", name="Heat map").check()
        await idle(page)
        assert set(await page.evaluate(_HEAT)) == set(await page.evaluate(_PLACES))
        await picture(visit, "tools-heat")
        await page.get_by_role("checkbox", name="Heat map").uncheck()

        # A component by its code, then its card, its case; then the same by a click on the map.
        await page.get_by_role("button", name="Draw, measure, find a component").click()
        await page.get_by_role("searchbox", name="Find a component").fill(lamp["code"])
        await page.locator(".found button").click()
        card = page.locator(".component-card")
        await expect(card).to_contain_text(lamp["name"])
        await expect(card).to_contain_text(lamp["code"])
        await expect(card).to_contain_text("Open cases: 1")
        await idle(page)
        await picture(visit, "tools-component")
        await is_accessible(visit)
        await card.get_by_role("button", name=case["number"]).click()
        await expect(page.locator(".drawer .number").first).to_have_text(case["number"])
        await card.get_by_role("button", name="Close the component").click()
        await expect(card).to_have_count(0)
        await page.locator(".drawer-head .icon-button").click()
        await jump(page, other["lon"], other["lat"], 18)
        await click(page, (other["lon"], other["lat"]))
        await expect(card).to_contain_text(other["code"])
        await expect(card).to_contain_text("None is open in your sight")


_HEAT: Final = """async () => {
  const source = document.querySelector('.map').map.getSource('heat');
  return (await source.getData()).features.map(each => each.properties.id);
}"""

_COLOURED: Final = """async code => {
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const here = document.querySelector('script[type=module]').src;
  const { cases } = await import(new URL('city.js', here));
  const map = document.querySelector('.map').map, wanted = {}, coloured = {};
  for (const each of cases.value.values()) {
    if (each.cell === null) continue;
    if (each.category === code) wanted[each.cell] = (wanted[each.cell] ?? 0) + 1;
    const { n } = map.getFeatureState({ source: 'cells', sourceLayer: 'cells', id: each.cell });
    if (n) coloured[each.cell] = n;
  }
  return [wanted, coloured];
}"""


async def test_the_drawer_shows_what_cameras_see_of_a_case(desk: Desk, town: Town) -> None:
    await see(town, ["street_vendor"] * 2, pictures=True)
    acceptor = await town.person("acceptor")
    reviews = await town.client.call("GET", "/api/v1/camera-reviews?limit=1", who=acceptor)
    review = reviews.body["items"][0]
    path = f"/api/v1/camera-reviews/{review['id']}/verdict"
    said = await town.client.call("POST", path, who=acceptor, body={"verdict": "real"}, key=str(uuid4()))
    assert said.status == 200, said.body
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not found:  # what is real becomes a case a moment later
            found = (await town.client.call("GET", "/api/v1/cases?source=camera", who=acceptor)).body["items"]
    async with desk("supervisor", query=f"panel=cases&case={found[0]['id']}") as visit:
        page = visit.page
        await expect(page.locator(".drawer h4", has_text="Pictures of cameras")).to_be_visible()
        image = page.locator(".drawer .photos img").first
        await expect(image).to_be_visible()
        await page.wait_for_function("each => each.complete && each.naturalWidth > 0", arg=await image.element_handle())
        camera = page.locator(f"[data-watches='{review['camera']}']")
        await expect(camera.locator(".picture img")).to_be_visible()
        await is_accessible(visit)
        # One of now needs a reason, and a gateway; the city has set none.
        await camera.get_by_role("button", name="Take a picture now").click()
        await camera.get_by_role("button", name="Take a picture now").click()
        await expect(camera.locator(".wrong")).to_contain_text("No gateway is set for this camera")
        visit.expect_complaints("status of 409")
        await camera.scroll_into_view_if_needed()
        await picture(visit, "tools-cameras")
