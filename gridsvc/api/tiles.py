"""GET /tiles/{layer}/{z}/{x}/{y}.mvt: what the map draws, square by square."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from geo.tile import Tile
from gridsvc.api.parts import scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.db import Conn
from gridsvc.errors import Unknown
from gridsvc.store.tiles import components_tile

Maker = Callable[[Conn, Tile], Awaitable[bytes]]

LAYERS: Final[dict[str, Maker]] = {"components": components_tile}
"""What makes the tiles of each layer; 204 where it makes nothing."""

# A browser keeps the tile and asks each time whether it is still the same: the register may have changed.
_KEEP: Final = {"Cache-Control": "private, no-cache"}


async def _tile(request: web.Request) -> web.Response:
    layer = request.match_info["layer"]
    maker = LAYERS.get(layer)
    tile = _asked(request)
    if maker is None or tile is None:
        raise Unknown(f"no tile {request.path}", given=request.path, wanted=f"a layer of {', '.join(LAYERS)} and z/x/y")
    async with scoped(request) as (conn, _):
        body = await maker(conn, tile)
    if not body:
        return web.Response(status=204, headers=_KEEP)
    headers = {**_KEEP, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers, content_type="application/vnd.mapbox-vector-tile")


def _asked(request: web.Request) -> Tile | None:
    numbers = [request.match_info[name] for name in ("z", "x", "y")]
    if not all(number.isascii() and number.isdigit() and len(number) <= 8 for number in numbers):
        return None
    try:
        return Tile(*map(int, numbers))
    except ValueError:
        return None


ROUTES: Final = (
    Route(
        method="GET", path="/tiles/{layer}/{z}/{x}/{y}.mvt", handler=_tile, roles=SIGNED_IN, scope="grid:read",
        statuses=(200, 204, 304),
        summary="One vector tile of a layer of the map.",
    ),
)  # fmt: skip
