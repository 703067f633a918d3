"""GET /tiles/{layer}/{z}/{x}/{y}.mvt: what the map draws, square by square; GET /api/v1/map says what there is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from geo.tile import Tile
from gridsvc.api.health import METRICS, Metrics
from gridsvc.api.parts import POOL, SETTINGS, caller_of, scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.tile_cache import ClientGone, Kept, TileCache, TileKey
from gridsvc.api.wire import Told, Wanted, read_query, reply
from gridsvc.db import Conn, ConnPool, open_pool, transaction
from gridsvc.domain.access import area_keys
from gridsvc.errors import Unknown
from gridsvc.store import cells, ground_tiles
from gridsvc.store.case_tiles import cases_tile
from gridsvc.store.map_edition import CASES_SECONDS, MapEdition, attributions, map_edition
from gridsvc.store.tiles import FIRST_CLUSTERS, components_tile

STATEMENT_S: Final = 8.0  # a tile that takes longer is not worth waiting for: the map asks for others
LOOK_AGAIN_S: Final = 1.0  # how soon a process sees that a grid set was published


# ---- what there is ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """One layer: which zooms have tiles of their own, what makes them, and which state of the map they are of.

    `version` is None where nothing can be drawn. `scoped`: each sees what his grants open, and the tile says what was
    true at some moment of the last CASES_SECONDS; the others are the same for everybody and for ever.
    """

    minzoom: int
    maxzoom: int
    make: Callable[[Conn, Tile, MapEdition], Awaitable[bytes]]
    version: Callable[[MapEdition], str | None]
    scoped: bool = False


def _of_set(
    tile: Callable[[Conn, Tile, int], Awaitable[bytes]],
) -> Callable[[Conn, Tile, MapEdition], Awaitable[bytes]]:
    async def make(conn: Conn, at: Tile, edition: MapEdition) -> bytes:
        return b"" if edition.grid_set_id is None else await tile(conn, at, edition.grid_set_id)

    return make


def _of_all(tile: Callable[[Conn, Tile], Awaitable[bytes]]) -> Callable[[Conn, Tile, MapEdition], Awaitable[bytes]]:
    async def make(conn: Conn, at: Tile, _: MapEdition) -> bytes:
        return await tile(conn, at)

    return make


def _set_version(edition: MapEdition) -> str | None:
    return None if edition.prepared is None else f"g{edition.grid_set_id}-{edition.prepared}"


def _revision(edition: MapEdition) -> str | None:
    return f"r{edition.revision}"


def _cases_version(edition: MapEdition) -> str | None:
    return None if edition.prepared is None else f"g{edition.grid_set_id}-{edition.prepared}-{edition.cases}"


LAYERS: Final[dict[str, Layer]] = {
    "divisions": Layer(0, 14, _of_set(ground_tiles.divisions_tile), _set_version),
    "cells": Layer(ground_tiles.FIRST_CELLS, 16, _of_set(ground_tiles.cells_tile), _set_version),
    "beats": Layer(ground_tiles.FIRST_BEATS, 15, _of_set(ground_tiles.beats_tile), _set_version),
    "cases": Layer(0, 16, _of_set(cases_tile), _cases_version, scoped=True),
    "components": Layer(FIRST_CLUSTERS, 16, _of_all(components_tile), _revision),
    "roads": Layer(ground_tiles.FIRST_ROADS, 15, _of_all(ground_tiles.roads_tile), _revision),
    "water": Layer(ground_tiles.FIRST_WATER, 14, _of_all(ground_tiles.water_tile), _revision),
    "buildings": Layer(ground_tiles.FIRST_BUILDINGS, 16, _of_all(ground_tiles.buildings_tile), _revision),
}
"""Every layer there is. What everybody who is signed in may see has no scope in its key."""


class LayerTold(Told):
    """One layer of tiles; `version` goes into their address as `?v=`. Beyond `maxzoom` the map stretches them."""

    version: str
    minzoom: int
    maxzoom: int


class MapTold(Told):
    """What the map shows: `bounds` are west, south, east, north in WGS-84; None while no grid set is in force."""

    bounds: list[float] | None
    attribution: str
    layers: dict[str, LayerTold]


# ---- what a process holds -----------------------------------------------------------------------


@dataclass(eq=False)
class Tiles:
    """The tiles of this process: its connections, what it keeps, and which edition of the map that is.

    `pool` makes tiles; `requests` is asked which edition it is, so that slow tiles hold up no kept ones.
    """

    pool: ConnPool
    requests: ConnPool
    cache: TileCache
    _edition: MapEdition | None = None
    _looked: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def edition(self, asked: str | None, layer: Layer) -> MapEdition:
        """The state of the map. A look at the database is taken only when the last is old, or another is asked for."""
        began = time.monotonic()
        if self._fits(asked, layer, began - LOOK_AGAIN_S) is None:
            async with self._turn:
                if self._fits(asked, layer, began - LOOK_AGAIN_S) is None and self._looked < began:
                    await self._look()
        assert self._edition is not None  # noqa: S101 - a look was taken
        return self._edition

    def _fits(self, asked: str | None, layer: Layer, since: float) -> MapEdition | None:
        if self._edition is None or self._looked < since:
            return None
        fits = layer.scoped or (asked is not None and asked == layer.version(self._edition))
        return self._edition if fits else None

    async def _look(self) -> None:
        looked = time.monotonic()
        async with transaction(self.requests, "") as (conn, now):
            edition = await map_edition(conn, now)
        for name, layer in LAYERS.items():
            if self._edition is not None and layer.version(edition) != layer.version(self._edition):
                self.cache.forget(name)
        self._edition, self._looked = edition, looked

    async def make(self, layer: Layer, tile: Tile, scope: str, edition: MapEdition) -> bytes:
        """Make one tile under a scope, as it stands in the tile's key; waits for a free connection."""
        async with transaction(self.pool, scope) as (conn, _):
            return await layer.make(conn, tile, edition)


TILES: Final = web.AppKey("tiles", Tiles)


async def tiles_while_serving(app: web.Application) -> AsyncIterator[None]:
    """Hold tiles, and connections of their own, so that a map that is opened does not hold up reports."""
    settings = app[SETTINGS]
    async with open_pool(
        settings.database.url, size=settings.tiles.connections, least=0, name="gridsvc web tiles", by_index=True,
        statement_s=STATEMENT_S,
    ) as pool:  # fmt: skip
        cache = TileCache(settings.tiles.cache_bytes)
        app[METRICS].tile_bytes.set_function(lambda: cache.held)
        app[TILES] = Tiles(pool, app[POOL], cache)
        yield


# ---- answers ------------------------------------------------------------------------------------


class TileQuery(Wanted):
    """Which state of the layer is wanted: the version that GET /api/v1/map told."""

    v: str | None = None


async def _tile(request: web.Request) -> web.Response:
    name = request.match_info["layer"]
    layer, tile = LAYERS.get(name), _asked(request)
    if layer is None or tile is None:
        raise Unknown(f"no tile {request.path}", given=request.path, wanted=f"a layer of {', '.join(LAYERS)} and z/x/y")
    asked = read_query(request, TileQuery).v
    tiles, metrics = request.app[TILES], request.app[METRICS]
    edition = await tiles.edition(asked, layer)
    version = layer.version(edition)
    keep = _keep(layer, fits=asked is not None and asked == version)
    if version is None:
        return web.Response(status=204, headers=keep)
    scope = ",".join(area_keys(caller_of(request))) if layer.scoped else ""
    key = TileKey(name, tile.z, tile.x, tile.y, scope, version)
    kept = tiles.cache.known(key)
    if kept is not None:
        metrics.tiles.labels(name, "hit").inc()
    else:
        try:
            kept = await _made(request, metrics, key, layer, tile, edition)
        except ClientGone:
            metrics.tiles.labels(name, "gone").inc()
            return web.Response(status=204)  # nobody reads it
    return _answer(request, kept, keep)


async def _made(
    request: web.Request, metrics: Metrics, key: TileKey, layer: Layer, tile: Tile, edition: MapEdition
) -> Kept:
    tiles, began = request.app[TILES], time.perf_counter()
    kept, first = await tiles.cache.made(
        key, lambda: tiles.make(layer, tile, key.scope, edition), lambda: _gone(request)
    )
    if first:
        metrics.tile_seconds.labels(key.layer).observe(time.perf_counter() - began)
    metrics.tiles.labels(key.layer, "miss" if first else "joined").inc()
    return kept


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _keep(layer: Layer, *, fits: bool) -> dict[str, str]:
    """Private: a tile needs a signed-in caller. With the right version it never changes; without, ask each time."""
    how = f"private, max-age={CASES_SECONDS}" if layer.scoped else "private, max-age=31536000, immutable"
    how = how if fits else "private, no-cache"
    return {"Cache-Control": how, "Vary": "Accept-Encoding"}


def _answer(request: web.Request, kept: Kept, keep: dict[str, str]) -> web.Response:
    if not kept.packed:
        return web.Response(status=204, headers=keep)
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    headers = {**keep, "ETag": f'"{kept.digest}{"-gzip" if packed else ""}"'}
    if kept.digest in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        body=kept.packed if packed else kept.plain(), headers=headers,
        content_type="application/vnd.mapbox-vector-tile",
    )  # fmt: skip


def _asked(request: web.Request) -> Tile | None:
    numbers = [request.match_info[name] for name in ("z", "x", "y")]
    if not all(number.isascii() and number.isdigit() and len(number) <= 8 for number in numbers):
        return None
    try:
        return Tile(*map(int, numbers))
    except ValueError:
        return None


async def _map(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, now):
        edition = await map_edition(conn, now)
        box = await cells.bounds_at(conn, now)
        told = await attributions(conn)
    versions = {name: layer.version(edition) for name, layer in LAYERS.items()}
    return reply(
        MapTold(
            bounds=None if box is None else [box[1].west, box[1].south, box[1].east, box[1].north],
            attribution=" · ".join(told),
            layers={
                name: LayerTold(version=version, minzoom=LAYERS[name].minzoom, maxzoom=LAYERS[name].maxzoom)
                for name, version in versions.items()
                if version is not None
            },
        )
    )


ROUTES: Final = (
    Route(
        method="GET", path="/tiles/{layer}/{z}/{x}/{y}.mvt", handler=_tile, roles=SIGNED_IN, scope="grid:read",
        query=TileQuery, statuses=(200, 204, 304),
        summary="One vector tile of a layer of the map.",
    ),
    Route(
        method="GET", path="/api/v1/map", handler=_map, roles=SIGNED_IN, scope="grid:read", answers=MapTold,
        summary="The layers of the map, their versions, bounds and attribution.",
    ),
)  # fmt: skip
