"""The registry of cameras over HTTP: what stands where, what it sees, whether it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
import shapely
from aiohttp import web

from geo.place import BadPlace, read_place
from geo.view import outline
from gridsvc.actions.write_camera import change_camera, enter_camera
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import (
    Page,
    Told,
    Wanted,
    if_match,
    path_code,
    read_body,
    read_cursor,
    read_query,
    reply,
    write_cursor,
)
from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Role
from gridsvc.domain.camera import NAMES, BadCamera, Health
from gridsvc.domain.case_state import AtVersion
from gridsvc.errors import BadLocation, BadRequest, Unknown
from gridsvc.store import camera_labels, cameras, cells
from gridsvc.store.cameras import CameraRow, Kept, Seen

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Text = Annotated[str, msgspec.Meta(max_length=128)]
_Few = Annotated[list[Annotated[str, msgspec.Meta(max_length=400)]], msgspec.Meta(max_length=32)]

STREAMS: Final = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN})
"""Who reads the addresses of a camera's streams, over its place: they often hold a password."""


# -- what is asked --------------------------------------------------------------------------------


class PlaceWanted(Wanted):
    """Where a camera stands: degrees in `datum`."""

    lon: float
    lat: float
    datum: str | None = None


class PresetWanted(Wanted):
    """Where a camera that can turn looks when it stands in a preset."""

    bearing_deg: float
    field_deg: float
    near_m: float
    far_m: float


class ZoneWanted(Wanted):
    """What of the ground a zone of the picture shows: a GeoJSON Point or Polygon in `datum`."""

    ground: dict[str, Any]
    datum: str | None = None


class CameraChange(Wanted, omit_defaults=True):
    """What is said of a camera. Left out: it stays (PATCH), or is as by default (POST, PUT)."""

    name: _Text | msgspec.UnsetType = msgspec.UNSET
    location: PlaceWanted | msgspec.UnsetType = msgspec.UNSET
    height_m: float | msgspec.UnsetType = msgspec.UNSET
    bearing_deg: float | msgspec.UnsetType = msgspec.UNSET
    field_deg: float | msgspec.UnsetType = msgspec.UNSET
    near_m: float | msgspec.UnsetType = msgspec.UNSET
    far_m: float | msgspec.UnsetType = msgspec.UNSET
    protocol: _Code | msgspec.UnsetType = msgspec.UNSET
    state: Literal["active", "off", "maintenance"] | msgspec.UnsetType = msgspec.UNSET
    vendor: _Text | msgspec.UnsetType = msgspec.UNSET
    model: _Text | msgspec.UnsetType = msgspec.UNSET
    codes: _Few | msgspec.UnsetType = msgspec.UNSET
    serials: _Few | msgspec.UnsetType = msgspec.UNSET
    macs: _Few | msgspec.UnsetType = msgspec.UNSET
    channels: _Few | msgspec.UnsetType = msgspec.UNSET
    device_names: _Few | msgspec.UnsetType = msgspec.UNSET
    owning: _Code | msgspec.UnsetType | None = msgspec.UNSET
    maintaining: _Code | msgspec.UnsetType | None = msgspec.UNSET
    ptz: bool | msgspec.UnsetType = msgspec.UNSET
    streams: _Few | msgspec.UnsetType = msgspec.UNSET
    silent_after_s: int | msgspec.UnsetType | None = msgspec.UNSET
    presets: dict[str, PresetWanted] | msgspec.UnsetType = msgspec.UNSET
    zones: dict[str, ZoneWanted] | msgspec.UnsetType = msgspec.UNSET


class CameraWhole(CameraChange, kw_only=True):
    """All of a camera: what is left out is as by default."""

    name: _Text
    location: PlaceWanted
    protocol: _Code


class CameraWanted(CameraWhole, kw_only=True):
    """A new camera. `code` is 20 digits (GB/T 28181), or the city's own."""

    code: _Code


class CamerasQuery(Wanted):
    """Which cameras. `bbox` is west,south,east,north in WGS-84; `cell` asks for those that see a cell."""

    division: _Code | None = None
    cell: _Code | None = None
    protocol: _Code | None = None
    state: Literal["active", "off", "maintenance"] | None = None
    health: Literal["never", "online", "offline"] | None = None
    bbox: Annotated[str, msgspec.Meta(max_length=120)] | None = None
    q: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


# -- what is told ---------------------------------------------------------------------------------


class CameraTold(Told):
    """One camera. Coordinates are WGS-84; `health` is what was heard of it, `state` how it is managed."""

    code: str
    name: str
    lon: float
    lat: float
    height_m: float
    bearing_deg: float
    field_deg: float
    near_m: float
    far_m: float
    protocol: str
    state: str
    vendor: str
    model: str
    owning: str | None
    maintaining: str | None
    ptz: bool
    divisions: list[str]
    health: Health
    heard_at: datetime | None
    offline_since: datetime | None
    version: int


class GivenTold(Told):
    """The place as somebody wrote it."""

    x: float
    y: float
    frame: str


class LookTold(Told):
    """A direction and a lens."""

    bearing_deg: float
    field_deg: float
    near_m: float
    far_m: float


class SeenTold(Told):
    """One cell that it sees. `kind` is view, preset, zone, or reach (wherever it can turn to); `share` is of that."""

    kind: str
    name: str
    cell: str
    share: float


class MeaningTold(Told):
    """A row of the label map that can count for the camera."""

    id: int
    camera: str
    kind: str
    zone: str
    target: str
    category: str | None
    mode: str


class CameraChangeTold(Told):
    """What one writing changed."""

    version: int
    at: datetime
    actor: str
    source: str
    facts: dict[str, Any]


class CameraDetail(Told):
    """One camera with all that is known of it. `streams` is null for whoever may not read them."""

    camera: CameraTold
    given: GivenTold
    names: dict[str, list[str]]
    streams: list[str] | None
    silent_after_s: int | None
    presets: dict[str, LookTold]
    zones: dict[str, dict[str, Any]]
    field_of_view: dict[str, Any]
    cells: list[SeenTold]
    labels: list[MeaningTold]
    history: list[CameraChangeTold]


class FeatureTold(Told):
    """A camera as a GeoJSON feature: its field of view, and its place among the properties."""

    geometry: dict[str, Any]
    properties: CameraTold
    type: str = "Feature"


class FeaturesTold(Told):
    """Cameras as GeoJSON; `next` is the cursor of the page after it."""

    features: list[FeatureTold]
    next: str | None
    type: str = "FeatureCollection"


class WatchingTold(Told):
    """A camera that sees the cell: how (view, preset, reach, zone), and how much of what it sees lies there."""

    camera: str
    name: str
    state: str
    health: Health
    kind: str
    part: str
    share: float


# -- reading --------------------------------------------------------------------------------------


async def _cameras(request: web.Request) -> web.Response:
    page, _, more = await _page(request)
    return reply(Page[CameraTold](items=[_told(row) for row in page], next=more))


async def _drawn(request: web.Request) -> web.Response:
    _, kept, more = await _page(request)
    features = [FeatureTold(geometry=_view(each), properties=_told(each.row)) for each in kept.values()]
    return reply(FeaturesTold(features=features, next=more))


async def _page(request: web.Request) -> tuple[Sequence[CameraRow], Mapping[str, Kept], str | None]:
    asked = read_query(request, CamerasQuery)
    after = read_cursor(asked.cursor, tuple[str])[0] if asked.cursor else ""
    words = None if asked.q is None else asked.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    async with scoped(request) as (conn, _):
        found = await cameras.LISTED.all(
            conn, after, asked.division, asked.cell, asked.protocol, asked.state, asked.health, _box(asked.bbox),
            words, asked.limit + 1,
        )  # fmt: skip
        page = found[: asked.limit]
        kept = await cameras.whole(conn, page)
    return page, kept, write_cursor(page[-1].code) if len(found) > asked.limit else None


async def _camera(request: web.Request) -> web.Response:
    code = path_code(request)
    async with scoped(request) as (conn, _):
        kept = (await cameras.current(conn, [code])).get(code)
        if kept is None:
            raise Unknown(f"no camera {code} in the registry", given=code)
        return _answer(await _detail(conn, kept, caller_of(request)))


async def _watching(request: web.Request) -> web.Response:
    code = path_code(request)
    async with scoped(request) as (conn, now):
        if await cells.cell(conn, code, now) is None:
            raise Unknown(f"the grid set in force has no cell {code}")
        found = await cameras.WATCHING.all(conn, code)
    return reply(
        Page[WatchingTold](
            items=[
                WatchingTold(
                    camera=row.camera, name=row.camera_name, state=row.state, health=Health(row.health),
                    kind=row.kind, part=row.name, share=row.share,
                )
                for row in found
            ]
        )
    )  # fmt: skip


# -- writing --------------------------------------------------------------------------------------


async def _enter(request: web.Request) -> web.Response:
    wanted = await read_body(request, CameraWanted)
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        try:
            kept = await enter_camera(conn, caller, wanted.code, await _said(conn, wanted, now), now)
        except BadCamera as bad:
            raise _refusal(bad) from bad
        return _written(await _detail(conn, kept, caller), 201)

    return await write(request, work)


async def _replace(request: web.Request) -> web.Response:
    return await _change(request, await read_body(request, CameraWhole), all_of_it=True)


async def _patch(request: web.Request) -> web.Response:
    return await _change(request, await read_body(request, CameraChange), all_of_it=False)


async def _change(request: web.Request, wanted: CameraChange, *, all_of_it: bool) -> web.Response:
    code, expected, caller = path_code(request), if_match(request), caller_of(request)
    if not isinstance(expected, AtVersion):
        raise BadRequest("If-Match names no version; a camera has nothing else", field="If-Match", wanted='"<version>"')

    async def work(conn: Conn, now: datetime) -> Answer:
        said = await _said(conn, wanted, now)
        try:
            kept = await change_camera(conn, caller, code, said, expected.version, now, all_of_it=all_of_it)
        except BadCamera as bad:
            raise _refusal(bad) from bad
        return _written(await _detail(conn, kept, caller), 200)

    return await write(request, work)


async def _said(conn: Conn, wanted: CameraChange, now: datetime) -> dict[str, Any]:
    said: dict[str, Any] = {
        name: value
        for name in wanted.__struct_fields__
        if name not in {"code", "location"} and (value := getattr(wanted, name)) is not msgspec.UNSET
    }
    for name in ("presets", "zones"):
        if name in said:
            said[name] = {each: msgspec.structs.asdict(part) for each, part in said[name].items()}
    if isinstance(wanted.location, PlaceWanted):
        at = wanted.location
        in_force = await cells.bounds_at(conn, now)
        try:
            read_place(at.lon, at.lat, at.datum, None, in_force[1] if in_force else None)
        except BadPlace as bad:
            raise BadLocation(
                str(bad), field="location", reason=bad.reason, given=bad.given, wanted=bad.wanted
            ) from bad
        said["given"] = (at.lon, at.lat, at.datum)
    return said


def _refusal(bad: BadCamera) -> BadRequest:
    return BadRequest(str(bad), field=bad.field, given=bad.given, wanted=bad.wanted)


def _answer(detail: CameraDetail) -> web.Response:
    return reply(detail, headers={"ETag": f'"{detail.camera.version}"'})


def _written(detail: CameraDetail, status: int) -> Answer:
    return Answer(detail, status=status, headers={"ETag": f'"{detail.camera.version}"'})


# -- in words -------------------------------------------------------------------------------------


async def _detail(conn: Conn, kept: Kept, caller: Caller) -> CameraDetail:
    row, camera = kept.row, kept.camera
    seen = await cameras.SEEN.all(conn, [row.code])
    labels = [
        each
        for each in await camera_labels.FOR_CAMERAS.all(conn, [row.code])
        if each.camera is not None or each.protocol in {"*", row.protocol}
    ]
    changes = await cameras.CHANGES.all(conn, row.code)
    may = _reads_streams(caller, row)
    return CameraDetail(
        camera=_told(row),
        given=GivenTold(row.given_x, row.given_y, row.given_frame),
        names={name: [value for of, value in camera.names if of == scheme] for name, scheme in NAMES.items()},
        streams=list(camera.streams) if may else None,
        silent_after_s=row.silent_after_s,
        presets={
            name: LookTold(look.bearing_deg, look.field_deg, look.near_m, look.far_m)
            for name, look in camera.presets.items()
        },
        zones={name: _geojson(ground) for name, ground in camera.zones.items()},
        field_of_view=_view(kept),
        cells=[_seen(each) for each in seen],
        labels=[
            MeaningTold(
                id=each.id, camera=each.camera or "*", kind=each.kind, zone=each.zone, target=each.target,
                category=None if each.category is None else f"{each.edition}:{each.category}", mode=each.mode,
            )
            for each in labels
        ],
        history=[CameraChangeTold(c.version, c.at, c.actor, c.source, _shown(c.facts, may)) for c in changes],
    )  # fmt: skip


def _reads_streams(caller: Caller, row: CameraRow) -> bool:
    return any(grant.role in STREAMS and grant.division in row.divisions for grant in caller.grants)


def _shown(facts: Mapping[str, Any], may: bool) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if may or name != "streams"}


def _seen(row: Seen) -> SeenTold:
    return SeenTold(kind=row.kind, name=row.name, cell=row.cell, share=row.share)


def _view(kept: Kept) -> dict[str, Any]:
    return _geojson(outline(kept.camera.place, kept.camera.look))


def _geojson(shape: shapely.Geometry) -> dict[str, Any]:
    parsed: dict[str, Any] = msgspec.json.decode(shapely.to_geojson(shape))
    return parsed


def _told(row: CameraRow) -> CameraTold:
    return CameraTold(
        code=row.code, name=row.name, lon=row.lon, lat=row.lat, height_m=row.height_m, bearing_deg=row.bearing_deg,
        field_deg=row.field_deg, near_m=row.near_m, far_m=row.far_m, protocol=row.protocol, state=row.state,
        vendor=row.vendor, model=row.model, owning=row.owning, maintaining=row.maintaining, ptz=row.ptz,
        divisions=row.divisions, health=Health(row.health), heard_at=row.heard_at, offline_since=row.offline_since,
        version=row.version,
    )  # fmt: skip


def _box(text: str | None) -> Sequence[float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west, south, east, north = 1.0, 1.0, 0.0, 0.0
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequest(
            f"bbox is {text[:80]!r}", field="bbox", given=text[:80], wanted="west,south,east,north in degrees of WGS-84"
        )
    return [west, south, east, north]


_ADMIN: Final = frozenset({Role.ADMIN})

ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/cameras", handler=_enter, roles=_ADMIN, scope="cameras:write",
        reads=CameraWanted, answers=CameraDetail, statuses=(201, 409, 422), idempotent=True,
        summary="Enter a camera: where it stands and looks, how its device names itself.",
    ),
    Route(
        method="GET", path="/api/v1/cameras", handler=_cameras, roles=SIGNED_IN, scope="cameras:read",
        query=CamerasQuery, answers=Page[CameraTold],
        summary="Cameras of my area, filtered.",
    ),
    Route(
        method="GET", path="/api/v1/cameras.geojson", handler=_drawn, roles=SIGNED_IN, scope="cameras:read",
        query=CamerasQuery, answers=FeaturesTold,
        summary="The same as GeoJSON: what each of them sees of the ground.",
    ),
    Route(
        method="GET", path="/api/v1/cameras/{code}", handler=_camera, roles=SIGNED_IN, scope="cameras:read",
        answers=CameraDetail,
        summary="One camera: cells and shares, presets, zones, labels, history; streams for those who may.",
    ),
    Route(
        method="PUT", path="/api/v1/cameras/{code}", handler=_replace, roles=_ADMIN, scope="cameras:write",
        reads=CameraWhole, answers=CameraDetail, statuses=(200, 409, 422, 428), idempotent=True, if_match=True,
        summary="Say all of a camera again; what is left out is as by default.",
    ),
    Route(
        method="PATCH", path="/api/v1/cameras/{code}", handler=_patch, roles=_ADMIN, scope="cameras:write",
        reads=CameraChange, answers=CameraDetail, statuses=(200, 409, 422, 428), idempotent=True, if_match=True,
        summary="Change what is said of a camera; what is left out stays.",
    ),
    Route(
        method="GET", path="/api/v1/cells/{code}/cameras", handler=_watching, roles=SIGNED_IN, scope="cameras:read",
        answers=Page[WatchingTold],
        summary="Which cameras see a cell, the one that shows most of it first.",
    ),
)  # fmt: skip
