"""A phone: a browser with a profile of its own that can be killed, behind a line that can be down or cut."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import ExifTags, Image
from playwright.async_api import BrowserContext, FilePayload, Page, Playwright

from tests.browser.conftest import PATIENCE_MS, POLICY_IS_HEARD, Visit, chromium, complain, stay_home

SIZE: Final = (360, 640)
_BLOCK: Final = 65_536


@dataclass(eq=False)
class Line:
    """What lies between the phone and the service. Down, nothing comes through; it can break in the middle."""

    to_port: int
    port: int = 0
    up: bool = True
    breaks_after: int | None = None
    """So many bytes more from the phone, then it is down."""
    sent: int = 0
    broke: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[Any]] = field(default_factory=set)

    def down(self) -> None:
        """Break everything that is on its way."""
        self.up = False
        for writer in list(self._open):
            writer.transport.abort()

    async def settled(self) -> None:
        """Every connection has ended."""
        await asyncio.gather(*self._serving)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the phone."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        if not self.up:
            writer.transport.abort()
            return
        try:
            there, to = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:  # the service is being started anew
            writer.transport.abort()
            return
        self._open |= {writer, to}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, to, from_phone=True))
                both.create_task(self._carry(there, writer, from_phone=False))
        finally:
            self._open -= {writer, to}
            for each in (writer, to):
                each.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_phone: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_BLOCK):
                if from_phone and not self._may_pass(len(data)):
                    self.down()
                    self.broke.set()
                    return
                if writer.is_closing():
                    return
                writer.write(data)
                await writer.drain()
            if not writer.is_closing():
                writer.write_eof()

    def _may_pass(self, size: int) -> bool:
        self.sent += size
        if self.breaks_after is None:
            return True
        self.breaks_after -= size
        if self.breaks_after > 0:
            return True
        self.breaks_after = None
        return False


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """A line to a port of this machine."""
    line = Line(port)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        server.close()
        line.down()
        await line.settled()


@dataclass
class Phone:
    """The browser with its profile; it survives being killed."""

    playwright: Playwright
    profile: Path
    line: Line
    lang: str = "zh-CN"
    theme: str = "light"
    microphone: str = ""
    """A microphone that beeps is allowed; `=deny`: it is not."""
    place: dict[str, Any] = field(default_factory=dict)
    context: BrowserContext | None = None
    visits: list[Visit] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.line.port}/officer/"

    async def open(self, path: str = "") -> Page:
        """Start the browser and open the app."""
        lon, lat = self.place["lon"], self.place["lat"]
        self.context = await self.playwright.chromium.launch_persistent_context(
            self.profile, executable_path=chromium(), viewport={"width": SIZE[0], "height": SIZE[1]}, locale=self.lang,
            is_mobile=True, has_touch=True, color_scheme="dark" if self.theme == "dark" else "light",
            args=["--use-fake-device-for-media-stream", f"--use-fake-ui-for-media-stream{self.microphone}"],
            permissions=["geolocation", "background-sync"],
            geolocation={"longitude": lon, "latitude": lat, "accuracy": 6},
        )  # fmt: skip
        self.context.set_default_timeout(PATIENCE_MS)
        await self.context.add_init_script(POLICY_IS_HEARD)
        page = self.context.pages[0]
        visit = Visit(page)
        self.visits.append(visit)
        home = f"http://127.0.0.1:{self.line.port}"
        page.on("console", lambda said: complain(visit, said.type, said.text))
        page.on("pageerror", lambda error: visit.complaints.append(f"uncaught: {error}"))
        page.on("request", lambda sent: stay_home(visit, home, sent.url))
        await page.goto(self.url + path)
        return page

    async def stand(self, lon: float, lat: float, accuracy_m: float = 6) -> None:
        """Where it is now."""
        assert self.context is not None
        await self.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": accuracy_m})

    async def offline(self) -> None:
        """No network, for page and service worker alike."""
        assert self.context is not None
        self.line.down()
        await self.context.set_offline(True)

    async def online(self) -> None:
        assert self.context is not None
        self.line.up = True
        await self.context.set_offline(False)

    async def kill(self) -> None:
        """End its processes, as a phone does that runs out of memory."""
        assert self.context is not None
        gone = asyncio.Event()
        self.context.on("close", lambda _: gone.set())
        told = await asyncio.create_subprocess_exec("ps", "-axww", "-o", "pid=,args=", stdout=asyncio.subprocess.PIPE)
        listed, _ = await told.communicate()
        for line in listed.decode(errors="replace").splitlines():
            if f"--user-data-dir={self.profile}" in line:
                with contextlib.suppress(ProcessLookupError):  # it went with its parent
                    os.kill(int(line.split()[0]), signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await gone.wait()
        self.context = None

    async def close(self) -> None:
        if self.context is not None:
            await self.context.close()
            self.context = None


TAKEN: Final = "2026-05-01T08:30:15+08:00"
TAKEN_AT: Final = (103.8235, 36.0585)  # longitude and latitude, written in degrees, minutes and seconds


def photograph(seed: int, size: tuple[int, int] = (640, 480), *, claims: bool = False) -> FilePayload:
    """A photograph of nothing that is like no other, as a file field takes it; its EXIF claims TAKEN and TAKEN_AT."""
    made = Image.frombytes(
        "RGB", (size[0] // 4, size[1] // 4), random.Random(seed).randbytes(size[0] * size[1] // 16 * 3)
    )
    content = io.BytesIO()
    exif = Image.Exif()
    if claims:
        exif.get_ifd(ExifTags.IFD.Exif).update({0x9003: "2026:05:01 08:30:15", 0x9011: "+08:00"})
        exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (36.0, 3.0, 30.6), 3: "E", 4: (103.0, 49.0, 24.6)})
    made.resize(size, Image.Resampling.NEAREST).save(content, "JPEG", quality=90, exif=exif)
    return {"name": f"{seed}.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}
