"""Pictures are drawn anew outside this process: starts one limited process per picture, and reads its answer."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from typing import IO, Final

import msgspec

from gridsvc.domain.picture import Claims
from gridsvc.errors import UnacceptedMedia, Unavailable
from gridsvc.picture_process import HEADER, READY

AT_ONCE: Final = 2  # one each for the cores of the smallest machine; each takes up to 1 GiB
MOST_WAITING: Final = 32  # beyond it the phone should come again later rather than hold a connection
WITHIN_S: Final = 30.0  # three times the CPU seconds of the process, which is niced

_MOST_BYTES: Final = (4096, 24 * 1024 * 1024, 1024 * 1024)  # facts, picture (2560 x 2560 x 3 at worst), thumbnail


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture drawn anew, as JPEG, and its thumbnail; the claims of the EXIF it came with; what it looks like."""

    shown: bytes
    thumb: bytes
    width: int
    height: int
    claims: Claims
    look: int | None  # see gridsvc/domain/likeness.py


class _Facts(msgspec.Struct):
    refused: str | None = None
    width: int = 0
    height: int = 0
    taken_at: str | None = None
    lon: float | None = None
    lat: float | None = None
    look: int | None = None


class PictureDesk:
    """Draws pictures, AT_ONCE at a time, each in a process of its own that ends with it."""

    def __init__(self, most_pixels: int, *, within_s: float = WITHIN_S) -> None:
        self._most_pixels = most_pixels
        self._within_s = within_s
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def draw(self, file: IO[bytes]) -> Drawn:
        """Draw the picture in `file`, an open file of the operating system, from its beginning.

        Raises UnacceptedMedia for a file that cannot be drawn within the limits of time, memory and
        pixels; Unavailable when too many wait, or no process could be started.
        """
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many pictures are waiting to be looked at", retry_after_s=10)
        self._waiting += 1
        try:
            async with self._turns:
                return await self._draw(file)
        finally:
            self._waiting -= 1

    async def _draw(self, file: IO[bytes]) -> Drawn:
        file.seek(0)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-m", "gridsvc.picture_process", str(self._most_pixels),
            stdin=file, stdout=PIPE, stderr=DEVNULL, cwd="/", env={},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._within_s):
                return await _answer(process)
        except TimeoutError:
            raise UnacceptedMedia(
                "the picture takes too long to decode", given="a picture that does not end", wanted="a photograph"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _answer(process: Process) -> Drawn:
    out = process.stdout
    assert out is not None  # noqa: S101 - it was asked for
    try:
        await out.readexactly(len(READY))
    except asyncio.IncompleteReadError:
        raise Unavailable("the process that looks at pictures did not start", retry_after_s=10) from None
    try:
        lengths = HEADER.unpack(await out.readexactly(HEADER.size))
        if any(length > most for length, most in zip(lengths, _MOST_BYTES, strict=True)):
            raise _undrawable("an answer out of all proportion")
        text, shown, thumb = [await out.readexactly(length) for length in lengths]
    except asyncio.IncompleteReadError:
        raise _undrawable("a file that breaks its decoder, or needs more time or memory than it may take") from None
    facts = msgspec.json.decode(text, type=_Facts)
    if facts.refused is not None:
        raise _undrawable(facts.refused)
    claims = Claims(taken_at=facts.taken_at, lon=facts.lon, lat=facts.lat)
    return Drawn(shown=shown, thumb=thumb, width=facts.width, height=facts.height, claims=claims, look=facts.look)


def _undrawable(given: str) -> UnacceptedMedia:
    return UnacceptedMedia(f"the picture cannot be drawn: {given}", given=given, wanted="a photograph that is whole")
