"""Positions over HTTP: batches from the officer's own app, single fixes from stock trackers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from geo.place import Bounds
from gridsvc.actions.take_positions import take_positions
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import POOL, caller_of
from gridsvc.api.route import PUBLIC, Route
from gridsvc.api.wire import Moment, Told, Wanted, read_body, read_bytes
from gridsvc.db import Conn, transaction
from gridsvc.domain.access import Role
from gridsvc.domain.position import Claim, Outcome
from gridsvc.domain.tracker import TrackerFix, read_form, read_moment
from gridsvc.errors import BadLocation, BadRequest, Unknown
from gridsvc.store import positions
from gridsvc.store.cells import bounds_at

MOST_FIXES: Final = 1000  # of one batch: a shift of eight hours at one fix per 30 s


class FixIn(Wanted):
    """One fix. `datum` names what lon and lat are in: wgs84, cgcs2000, gcj02, bd09; `taken_at` is the phone's time.

    `mocked`: the phone says that a program made the place up.
    """

    lon: float
    lat: float
    taken_at: Moment
    datum: str | None = None
    accuracy_m: float | None = None
    mocked: bool = False


class PositionsIn(Wanted):
    """A batch of fixes, in any order."""

    positions: Annotated[list[FixIn], msgspec.Meta(min_length=1, max_length=MOST_FIXES)]


class FixOut(Told):
    """What became of one fix. `accepted`, `older_than_known` and `off_duty` mean: do not send it again."""

    outcome: Literal["accepted", "older_than_known", "bad_location", "from_the_future", "too_old", "off_duty"]
    reason: str | None = None
    detail: str | None = None


class PositionsOut(Told):
    """One outcome per fix, in the order of the batch."""

    items: list[FixOut]


class CityBounds:
    """Where the published grid lies, looked up anew every half minute: a new grid set may wait that long."""

    _KEPT_S: Final = 30.0

    def __init__(self) -> None:
        self._bounds: Bounds | None = None
        self._until = float("-inf")

    async def at(self, conn: Conn, now: datetime) -> Bounds | None:
        """The bounds, None while no grid set is in force."""
        ticks = time.monotonic()
        if ticks >= self._until:
            found = await bounds_at(conn, now)
            self._bounds, self._until = (None if found is None else found[1]), ticks + self._KEPT_S
        return self._bounds


CITY_BOUNDS: Final = web.AppKey("city_bounds", CityBounds)


async def city_bounds(app: web.Application) -> AsyncIterator[None]:
    """Remember where the city lies while the application runs."""
    app[CITY_BOUNDS] = CityBounds()
    yield


async def _take_batch(request: web.Request) -> web.Response:
    batch = await read_body(request, PositionsIn)
    officer_id = caller_of(request).user_id
    assert officer_id is not None  # noqa: S101 - no API key has this route
    claims = [
        Claim(
            lon=fix.lon, lat=fix.lat, datum=fix.datum, accuracy_m=fix.accuracy_m, taken_at=fix.taken_at,
            mocked=fix.mocked,
        )
        for fix in batch.positions
    ]  # fmt: skip

    async def work(conn: Conn, now: datetime) -> Answer:
        city = await request.app[CITY_BOUNDS].at(conn, now)
        judged = await take_positions(conn, officer_id, claims, city, now)
        items = [FixOut(outcome=fix.outcome.value, reason=fix.reason, detail=fix.why) for fix in judged]
        return Answer(PositionsOut(items=items))

    return await write(request, work)


async def _take_tracker_fix(request: web.Request) -> web.Response:
    given = await _given(request)
    async with transaction(request.app[POOL], "") as (conn, now):
        fix = _read(given, now)
        officer_id = await positions.officer_of_device(conn, hashlib.sha256(fix.device.encode()).digest())
        if officer_id is None:
            raise Unknown("no such device; want the id that `gridsvc people device` printed")
        city = await request.app[CITY_BOUNDS].at(conn, now)
        (judged,) = await take_positions(conn, officer_id, [fix.claim], city, now)
    # A tracker sends a fix until it hears 200, and nothing newer before: a fix that is overtaken, or taken off
    # duty and not kept, must be a success.
    if judged.outcome in {Outcome.ACCEPTED, Outcome.OLDER_THAN_KNOWN, Outcome.OFF_DUTY}:
        return web.Response()
    if judged.outcome is Outcome.BAD_LOCATION:
        raise BadLocation(judged.why or "", reason=judged.reason)
    raise BadRequest(f"timestamp: {judged.why}", field="timestamp", outcome=judged.outcome.value)


class _Coords(msgspec.Struct):
    latitude: float
    longitude: float
    accuracy: float | None = None


class _Location(msgspec.Struct):
    coords: _Coords
    timestamp: str


class _TrackerIn(msgspec.Struct):
    """The JSON of Traccar Client 9 and later; what else it sends is passed over."""

    device_id: str
    location: _Location


async def _given(request: web.Request) -> dict[str, str] | _TrackerIn:
    if request.query:
        return dict(request.query)
    raw = await read_bytes(request)
    if request.content_type == "application/json":
        try:
            return msgspec.json.decode(raw, type=_TrackerIn)
        except msgspec.MsgspecError as wrong:
            raise BadRequest(f"the body is not a tracker's JSON: {wrong}", wanted="device_id and location") from None
    try:
        return dict(parse_qsl(raw.decode("utf-8"), strict_parsing=True, max_num_fields=100))
    except ValueError:
        raise BadRequest("there are no parameters", wanted="id, lat, lon, timestamp as query or form") from None


def _read(given: dict[str, str] | _TrackerIn, now: datetime) -> TrackerFix:
    if isinstance(given, dict):
        return read_form(given, now)
    coords = given.location.coords
    claim = Claim(
        lon=coords.longitude,
        lat=coords.latitude,
        datum="wgs84",
        accuracy_m=coords.accuracy,
        taken_at=read_moment(given.location.timestamp),
    )
    return TrackerFix(device=given.device_id, claim=claim)


def _tracker_route(method: str) -> Route:
    return Route(
        method=method, path="/positions/osmand", handler=_take_tracker_fix, roles=PUBLIC,
        statuses=(200, 404, 413, 415, 422),
        summary="One fix of a stock tracker: OsmAnd form or Traccar JSON; the secret id says whose.",
    )  # fmt: skip


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="POST", path="/api/v1/positions", handler=_take_batch, roles=frozenset({Role.OFFICER}),
        reads=PositionsIn, answers=PositionsOut, idempotent=True,
        summary="My fixes, in batches; one outcome per fix, the last becomes my position; none is kept off duty.",
    ),
    _tracker_route("GET"),
    _tracker_route("POST"),
)  # fmt: skip
