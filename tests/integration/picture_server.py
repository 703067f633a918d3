"""A small real HTTP server on loopback that has pictures: what it was asked is written down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gridsvc.domain.camera_picture import Host


@dataclass
class PictureServer:
    """Answers by path. `asked`: path and Authorization of every request; `busiest`: of how many at once."""

    port: int = 0
    answers: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    busiest: int = 0
    _busy: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def host(self, code: str = "here", prefix: str = "/", name: str = "127.0.0.1", **more: list[str]) -> Host:
        """This server as a row of the allow-list; loopback is in its networks unless others are given."""
        networks = more.get("networks", ["127.0.0.0/8", "::1/128"])
        cameras = more.get("cameras", [])
        return Host(
            code=code, scheme="http", host=name, port=self.port, path_prefix=prefix, networks=networks, cameras=cameras
        )

    def has(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

        self.answers[path] = answer

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.path_qs, request.headers.get("Authorization")))
        self._busy += 1
        self.busiest = max(self.busiest, self._busy)
        try:
            known = self.answers.get(request.path)
            return await known(request) if known is not None else web.Response(status=404)
        finally:
            self._busy -= 1


@asynccontextmanager
async def picture_server() -> AsyncIterator[PictureServer]:
    """A server of its own on a free port."""
    server = PictureServer()
    app = web.Application()
    app.router.add_get("/{path:.*}", server.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()
