"""Positions over HTTP: batches from the officer's app, fixes of stock trackers."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from gridsvc.db import transaction
from gridsvc.store import positions
from tests.integration.api.conftest import SOUTH, Api, Client, a
from tests.integration.patiently import until

PLACE = {"lon": 103.805, "lat": 36.055, "datum": "wgs84", "accuracy_m": 8}


async def on_duty(api: Api) -> Client:
    """An officer who has been on duty for a day."""
    ann = await api.somebody(a("officer"))
    await api.pool.execute(
        "UPDATE officers SET on_duty = true, duty_changed_at = now() - interval '1 day' WHERE user_id = $1", ann.user_id
    )
    return ann


async def city_now(api: Api) -> datetime:
    async with transaction(api.pool) as (_, now):
        return now


def fix(taken_at: datetime, **more: Any) -> dict[str, Any]:
    return {**PLACE, "taken_at": taken_at.isoformat(), **more}


async def send(client: Client, *fixes: dict[str, Any]) -> list[str]:
    said = await client.post("/api/v1/positions", {"positions": list(fixes)})
    assert said.status == 200, said.body
    return [item["outcome"] for item in said.body["items"]]


async def latest(api: Api, client: Client) -> tuple[float, datetime] | None:
    row = await api.pool.fetchrow(
        "SELECT ST_X(place) AS lon, taken_at FROM officer_positions WHERE officer_id = $1", client.user_id
    )
    return None if row is None else (row["lon"], row["taken_at"])


async def test_a_batch_is_answered_fix_by_fix_and_the_newest_is_the_position(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    outcomes = await send(
        ann,
        fix(now - timedelta(minutes=2)),
        fix(now - timedelta(minutes=1), lon=103.806),
        fix(now - timedelta(seconds=30), lon=36.055, lat=103.805),
        fix(now + timedelta(hours=1)),
        fix(now - timedelta(minutes=3)),
    )
    assert outcomes == ["accepted", "accepted", "bad_location", "from_the_future", "accepted"]
    assert await latest(api, ann) == (103.806, now - timedelta(minutes=1))


async def test_a_newer_position_is_never_overwritten_by_an_older_one(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    newer, older = fix(now - timedelta(seconds=10), lon=103.807), fix(now - timedelta(seconds=20))
    assert await send(ann, newer) == ["accepted"]
    assert await send(ann, older, newer) == ["older_than_known", "older_than_known"]
    assert await latest(api, ann) == (103.807, now - timedelta(seconds=10))


async def test_of_many_batches_at_once_the_newest_fix_stands(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    batches = [send(ann, fix(now - timedelta(seconds=n), lon=103.8 + n / 10_000)) for n in range(1, 17)]
    await asyncio.gather(*batches)
    assert await latest(api, ann) == (103.8 + 1 / 10_000, now - timedelta(seconds=1))


async def test_a_place_without_its_datum_is_told_so_and_one_in_gcj02_is_converted(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    said = await ann.post("/api/v1/positions", {"positions": [fix(now, datum=None)]})
    assert said.body["items"][0]["reason"] == "datum_missing"
    assert await send(ann, fix(now, datum="gcj02")) == ["accepted"]
    found = await latest(api, ann)
    assert found is not None
    assert 0.001 < abs(found[0] - 103.805) < 0.005


async def test_a_batch_is_limited_and_strict(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    for fixes in ([], [fix(now)] * 1001, [fix(now, speed=3)]):
        assert (await ann.post("/api/v1/positions", {"positions": fixes})).code == "bad_request"


async def test_only_officers_have_positions(api: Api) -> None:
    now = await city_now(api)
    bo = await api.somebody(a("dispatcher"))
    assert (await bo.post("/api/v1/positions", {"positions": [fix(now)]})).code == "not_allowed"


async def tracker(api: Api, client: Client) -> str:
    assert client.user_id is not None
    secret = "tracker-secret"
    async with transaction(api.pool) as (conn, now):
        assert await positions.add_device(conn, hashlib.sha256(secret.encode()).digest(), client.user_id, "", now)
    return secret


async def ask(api: Api, method: str, query: str = "", data: str = "", kind: str = "") -> int:
    headers = {"Content-Type": kind} if kind else {}
    url = f"{api.url}/positions/osmand{query}"
    async with api.http.request(method, url, data=data.encode() or None, headers=headers) as answer:
        body = await answer.read()
        assert (answer.status != 200) or body == b""
        return answer.status


async def test_a_stock_tracker_reports_by_query_form_or_json_without_a_session(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    secret, at = await tracker(api, ann), int(now.timestamp())
    assert await ask(api, "GET", f"?id={secret}&lat=36.055&lon=103.8051&timestamp={at - 60}&hdop=1.1&speed=2") == 200
    assert await latest(api, ann) == (103.8051, datetime.fromtimestamp(at - 60, now.tzinfo))
    form = f"deviceid={secret}&lat=36.055&lon=103.8052&timestamp={(at - 50) * 1000}&accuracy=5"
    assert await ask(api, "POST", data=form, kind="application/x-www-form-urlencoded") == 200
    assert await latest(api, ann) == (103.8052, datetime.fromtimestamp(at - 50, now.tzinfo))
    moment = (now - timedelta(seconds=40)).isoformat()
    text = f"""{{"location": {{"timestamp": "{moment}", "coords": {{"latitude": 36.055, "longitude": 103.8053,
                "accuracy": 4.5, "speed": 0, "heading": 0, "altitude": 1500}}, "is_moving": false,
                "battery": {{"level": 1, "is_charging": false}}}}, "device_id": "{secret}"}}"""
    assert await ask(api, "POST", data=text, kind="application/json") == 200
    assert await latest(api, ann) == (103.8053, now - timedelta(seconds=40))


async def test_a_fix_that_is_overtaken_is_a_success_so_that_the_tracker_goes_on(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    secret = await tracker(api, ann)
    await send(ann, fix(now, lon=103.809))
    assert await ask(api, "GET", f"?id={secret}&lat=36.055&lon=103.80&timestamp={int(now.timestamp()) - 60}") == 200
    found = await latest(api, ann)
    assert found is not None
    assert found[0] == 103.809


async def test_where_an_officer_is_is_kept_and_shown_on_duty_alone(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    desk, secret = await api.somebody(a("dispatcher")), await tracker(api, ann)

    async def shown() -> float | None:
        items = (await desk.get("/api/v1/officers")).body["items"]
        [listed] = [each["position"] for each in items if each["id"] == str(ann.user_id)]

        async def agrees() -> bool:  # a picture is shared for a moment; what has changed since follows as news
            snapshot = (await desk.get("/api/v1/live/snapshot")).body
            [told] = [each["lon"] for each in snapshot["officers"] if each["id"] == str(ann.user_id)]
            return bool(told == (listed and listed["lon"]))

        await until(agrees, what="the picture of the live feed says the same as the list")
        return None if listed is None else float(listed["lon"])

    assert await send(ann, fix(now, lon=103.807)) == ["accepted"]
    assert await shown() == 103.807
    assert (await ann.post("/api/v1/officers/me/duty", {"on_duty": False})).status == 200
    assert await shown() is None, "off duty it is nobody's business"
    later = await city_now(api)
    assert await send(ann, fix(later, lon=103.9), fix(now - timedelta(seconds=30))) == ["off_duty", "older_than_known"]
    query = f"?id={secret}&lat=36.055&lon=103.9&timestamp={later.isoformat().replace('+', '%2B')}"
    assert await ask(api, "GET", query) == 200, "or the tracker would send nothing newer for ever"
    assert await latest(api, ann) == (103.807, now)
    assert await api.pool.fetchval("SELECT count(*) FROM officer_trails WHERE officer_id = $1", ann.user_id) == 2
    trail = f"/api/v1/officers/{ann.user_id}/trail"
    assert (await (await api.somebody(a("dispatcher", SOUTH))).get(trail)).status == 404
    assert (await ann.get(trail)).status == 403, "for the control centre alone"


async def test_a_mocked_place_is_kept_as_such_and_shown_to_the_desk_but_never_as_the_latest(api: Api) -> None:
    ann, now = await on_duty(api), await city_now(api)
    desk = await api.somebody(a("dispatcher"))
    said = await ann.post("/api/v1/positions", {"positions": [
        fix(now - timedelta(seconds=60)), fix(now, lon=103.9, mocked=True),
    ]})  # fmt: skip
    assert [(each["outcome"], each["reason"]) for each in said.body["items"]] == [
        ("accepted", None), ("accepted", "mocked"),
    ]  # fmt: skip
    assert await latest(api, ann) == (103.805, now - timedelta(seconds=60))
    steps = (await desk.get(f"/api/v1/officers/{ann.user_id}/trail")).body["steps"]
    assert [(step["lon"], step["mocked"]) for step in steps] == [(103.805, False), (103.9, True)]


@pytest.mark.parametrize(
    ("why", "query", "status"),
    [
        ("a device that nobody registered", "?id=other&lat=36.055&lon=103.805", 404),
        ("no device", "?lat=36.055&lon=103.805", 400),
        ("no fix yet", "?id=tracker-secret&lat=0&lon=0", 422),
        ("axes swapped", "?id=tracker-secret&lat=103.805&lon=36.055", 422),
        ("a clock that is wrong", "?id=tracker-secret&lat=36.055&lon=103.805&timestamp=4000000000000", 400),
        ("a receiver of 1970", "?id=tracker-secret&lat=36.055&lon=103.805&timestamp=1", 400),
        ("no number", "?id=tracker-secret&lat=north&lon=103.805", 400),
        ("nothing at all", "", 400),
    ],
)
async def test_what_was_not_kept_is_never_answered_with_success(api: Api, why: str, query: str, status: int) -> None:
    ann = await on_duty(api)
    await tracker(api, ann)
    assert await ask(api, "GET", query) == status, why
    assert await latest(api, ann) is None


@pytest.mark.parametrize("sql", ["UPDATE devices SET revoked_at = now()", "UPDATE users SET active = false"])
async def test_a_tracker_that_was_revoked_or_whose_officer_is_gone_is_unknown(api: Api, sql: str) -> None:
    secret = await tracker(api, await api.somebody(a("officer")))
    await api.pool.execute(sql)
    assert await ask(api, "GET", f"?id={secret}&lat=36.055&lon=103.805") == 404
