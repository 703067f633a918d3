"""The desk for cameras: what arrives together shares one commit, and each request gets its own answers.

A camera that storms must not fill the process: beyond MOST_WAITING events nothing more is taken in, and its
sender is told to wait (429), which devices that keep what they could not send do.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Final, TypeVar

from aiohttp import web

from geo.place import Place
from gridsvc.actions.know_cameras import admit, known_cameras, owners
from gridsvc.actions.take_camera_events import Answer
from gridsvc.actions.take_errands import Errand, take_errands
from gridsvc.api.parts import SETTINGS
from gridsvc.db import Conn, ConnPool, open_pool, transaction
from gridsvc.errors import TooManyTries
from gridsvc.store.camera_tokens import Admitted, Named
from gridsvc.store.rulebook import rulebook
from gridsvc.together import Together

MOST_TOGETHER: Final = 1_024  # in one commit: 60 single events, or eight batches of a hundred; 20 ms of the process
REQUEST_WEIGHS: Final = 16  # events
PACE_S: Final = 0.02
MOST_WAITING: Final = 20_000  # events taken from sockets and not committed yet: some 20 MB
MOST_PICTURE_BYTES: Final = 64 * 1024 * 1024  # of those events; what one commit may carry at worst
KEPT_S: Final = 10.0  # how long a look at a token or a camera counts, as of a user's credentials
MOST_KEPT: Final = 20_000

Name = TypeVar("Name")
Value = TypeVar("Value")


class CameraDesk:
    """Takes in camera events for the web process; open it with `open_camera_desk`."""

    def __init__(self, pool: ConnPool, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._ticks = ticks
        self._together = Together(self._commit, MOST_TOGETHER, PACE_S, _weight)
        self._waiting = self._picture_bytes = 0
        self._tokens: dict[tuple[str, str], tuple[float, tuple[Admitted, Sequence[Named]] | None]] = {}
        self._areas: dict[str, tuple[float, Sequence[str] | None]] = {}

    async def take(self, errand: Errand) -> list[Answer]:
        """Return when all of `errand` is committed; one answer for each of its events. Raises TooManyTries."""
        size, bytes_ = max(1, len(errand.incoming)), _picture_bytes(errand)
        if self._waiting + size > MOST_WAITING or self._picture_bytes + bytes_ > MOST_PICTURE_BYTES:
            raise TooManyTries(
                f"{self._waiting} camera events wait to be kept, with {self._picture_bytes} bytes of pictures;"
                " send the same again in a moment",
                wanted="fewer events at once", retry_after_s=1,
            )  # fmt: skip
        self._waiting += size
        self._picture_bytes += bytes_
        try:
            await self._together(errand)
        finally:
            self._waiting -= size
            self._picture_bytes -= bytes_
        return errand.answers

    async def _commit(self, errands: Sequence[Errand]) -> None:
        async with transaction(self._pool) as (conn, now):
            await take_errands(conn, errands, now)

    async def admitted(self, token: str, peer: str) -> tuple[Admitted, Sequence[Named]] | None:
        """Whom a token from `peer` speaks for, as of a few seconds ago; None where it is not valid (any more)."""
        kept = self._tokens.get((token, peer))
        if kept is not None and kept[0] > self._ticks():
            return kept[1]
        if not _is_address(peer):  # a network cannot hold it
            return None
        async with transaction(self._pool) as (conn, _):
            found = await admit(conn, token, peer)
        if found is not None:  # guesses are not remembered: they would push out what is true
            _remember(self._tokens, (token, peer), (self._ticks() + KEPT_S, found))
        return found

    def opened(self) -> AbstractAsyncContextManager[tuple[Conn, datetime]]:
        """One short transaction of the desk's own: who a device is, and how it stands."""
        return transaction(self._pool)

    async def moment(self) -> datetime:
        """Now by the city's clock and in its zone, as answers to devices tell it."""
        async with transaction(self._pool) as (conn, now):
            return now.astimezone((await rulebook(conn)).zone)

    async def divisions_of(self, cameras: Sequence[str]) -> dict[str, Sequence[str] | None]:
        """The divisions of each camera, from the top down, as of a few seconds ago; None: there is no such camera."""
        ticks = self._ticks()
        asked = sorted({code for code in cameras if self._areas.get(code, (0.0, None))[0] <= ticks})
        if asked:
            async with transaction(self._pool) as (conn, now):
                known = await known_cameras(conn, asked)
                found = await owners(conn, [Place(each.lon, each.lat) for each in known.values()], now)
            areas = {code: owner.divisions if owner else () for code, owner in zip(known, found, strict=True)}
            for code in asked:
                _remember(self._areas, code, (ticks + KEPT_S, areas.get(code)))
        return {code: self._areas[code][1] for code in cameras}


def _weight(errand: Errand) -> int:
    return REQUEST_WEIGHS + len(errand.incoming)


def _picture_bytes(errand: Errand) -> int:
    return sum(len(picture.data or b"") for each in errand.incoming for picture in each.event.snapshots)


def _is_address(text: str) -> bool:
    try:
        return "%" not in str(ipaddress.ip_address(text))
    except ValueError:
        return False


def _remember(kept: dict[Name, Value], name: Name, value: Value) -> None:
    kept.pop(name, None)
    while len(kept) >= MOST_KEPT:
        del kept[next(iter(kept))]
    kept[name] = value


@asynccontextmanager
async def open_camera_desk(url: str) -> AsyncIterator[CameraDesk]:
    """Open the desk with connections of its own, so that a storm waits for itself and for nobody else."""
    async with open_pool(url, size=3, name="gridsvc camera desk", plan_once=True, by_index=True) as pool:
        yield CameraDesk(pool)


CAMERA_DESK: Final = web.AppKey("camera_desk", CameraDesk)


async def camera_desk_while_serving(app: web.Application) -> AsyncIterator[None]:
    """Hold the desk open for as long as the application runs."""
    async with open_camera_desk(app[SETTINGS].database.url) as desk:
        app[CAMERA_DESK] = desk
        yield
