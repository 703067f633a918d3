"""The web process: what it holds, what every request passes through, and how it starts and stops."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from aiohttp import web

from gridsvc.api.attachments import files_and_desk
from gridsvc.api.auth import PASSWORD_DESK, open_password_desk
from gridsvc.api.camera_desk import camera_desk_while_serving
from gridsvc.api.desk import desk_while_serving
from gridsvc.api.front import lay_out, shelve
from gridsvc.api.health import METRICS, Metrics, measure
from gridsvc.api.identity import DECLARED, IDENTITY, KEPT_S, SIGNER, Identity, identify, on_https
from gridsvc.api.lan import Certificate, certificate_of, enrolment
from gridsvc.api.live import live_feed, send_watchers_away
from gridsvc.api.notices import close_sockets, notice_board
from gridsvc.api.openapi import CONTRACT, spell
from gridsvc.api.parts import POOL, SERVICE_POOL, SETTINGS
from gridsvc.api.places import place_book
from gridsvc.api.positions import city_bounds
from gridsvc.api.problems import STARTED, problems
from gridsvc.api.route import Route
from gridsvc.api.routes import ROUTES
from gridsvc.api.signatures import SEALER
from gridsvc.api.tiles import tiles_while_serving
from gridsvc.api.tokens import Signer
from gridsvc.api.uploads import say_version
from gridsvc.db import SERVICE, open_pool
from gridsvc.heap import settle
from gridsvc.sealing import Sealer
from gridsvc.settings import HttpSettings, Settings

log = logging.getLogger(__name__)

MIDDLEWARES: Final = (
    measure,  # outermost: it sees the answer that leaves, whatever became of the request
    problems,  # everything below may raise
    identify,  # nobody below runs without a caller that may be there
)

STOP_WITHIN_S: Final = 4.0  # for requests that are being answered; the supervisor of `gridsvc up` kills after 5
KEEP_ALIVE_S: Final = 75.0  # longer than a proxy's idle connection, so that the proxy closes first
SERVICE_CONNECTIONS: Final = 2
LIVE_CONNECTIONS: Final = 1  # of the live feed; it opens its own


def build_app(settings: Settings, *, routes: Sequence[Route] = ROUTES, identity_s: float = KEPT_S) -> web.Application:
    """The whole application, not yet started.

    `identity_s` is how long a look at a credential counts. Raises BadSettings for a secret that is none.
    """
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=settings.http.body_limit)
    app[SETTINGS] = settings
    app[SIGNER] = Signer.from_secret(settings.identity.secret)
    app[SEALER] = Sealer.of_secrets(settings.identity.sealing)
    app[METRICS] = Metrics()
    shelve(app)
    app[CONTRACT] = spell(tuple(routes))
    app[DECLARED] = {
        app.router.add_route(method, route.path, route.handler): route
        for route in routes
        for method in ((route.method, "HEAD") if route.head else (route.method,))
    }
    app.on_response_prepare.append(_harden)
    app.on_response_prepare.append(say_version)
    app.cleanup_ctx.extend(
        [
            _pools,
            partial(_identity, kept_s=identity_s),
            _passwords,
            desk_while_serving,
            camera_desk_while_serving,
            files_and_desk,
            city_bounds,
            notice_board,
            live_feed,
            place_book,
            tiles_while_serving,
        ]
    )
    app.on_shutdown.append(close_sockets)
    app.on_shutdown.append(send_watchers_away)
    return app


async def _pools(app: web.Application) -> AsyncIterator[None]:
    database = app[SETTINGS].database
    most = max(2, database.pool_size - SERVICE_CONNECTIONS - LIVE_CONNECTIONS)
    async with (
        open_pool(database.url, size=most, scope="", name="gridsvc web", by_index=True) as pool,
        open_pool(
            database.url, size=SERVICE_CONNECTIONS, scope=SERVICE, name="gridsvc web service", by_index=True
        ) as service_pool,
    ):
        app[POOL], app[SERVICE_POOL] = pool, service_pool
        yield


async def _identity(app: web.Application, kept_s: float) -> AsyncIterator[None]:
    app[IDENTITY] = Identity(app[SERVICE_POOL], app[SIGNER], kept_s=kept_s)
    yield


async def _passwords(app: web.Application) -> AsyncIterator[None]:
    async with open_password_desk() as desk:
        app[PASSWORD_DESK] = desk
        yield


_EVERYWHERE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_UNLESS_SAID: Final = {  # pages and tiles say their own
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
}


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    request[STARTED] = True
    headers = response.headers
    headers.update(_EVERYWHERE)
    for name, value in _UNLESS_SAID.items():
        headers.setdefault(name, value)
    if on_https(request.app[SETTINGS].http):
        headers["Strict-Transport-Security"] = "max-age=31536000"


MOST_FILES: Final = 65_536


def _let_many_in() -> None:
    """Raise how many files and sockets this process may have to what the system allows: a watcher is a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve(settings: Settings, *, reuse_port: bool = False) -> None:
    """Serve until SIGINT or SIGTERM: then no new connection is taken and running requests are finished.

    Raises OSError when the port is taken. `reuse_port` lets several processes share it.
    """
    _let_many_in()
    certificate = certificate_of(settings.http)
    others: list[web.AppRunner] = []
    beside: list[asyncio.Task[None]] = []
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    app = build_app(settings)
    runner = web.AppRunner(
        app,
        access_log=None,  # the proxy's, and the histogram of /metrics; a line per request costs more than the answer
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=STOP_WITHIN_S,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        settle()
        http = settings.http
        await web.TCPSite(runner, http.host, http.port, backlog=1024, reuse_port=reuse_port or None).start()
        if certificate is not None:
            beside.append(await _on_the_network(runner, others, settings.http, certificate))
        beside.append(asyncio.create_task(lay_out(app), name="pages are packed"))
        log.info("web is up", extra={"action": "process_started", "host": http.host, "port": http.port})
        await stop.wait()
        log.info("web stops", extra={"action": "process_stopping"})
    finally:
        for task in beside:
            task.cancel()
        for each in (*others, runner):
            await each.cleanup()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(sign)


async def _on_the_network(
    runner: web.AppRunner, others: list[web.AppRunner], http: HttpSettings, certificate: Certificate
) -> asyncio.Task[None]:
    """Speak HTTPS on a further address, and show there how phones enrol; the task that follows the certificate."""
    await web.TCPSite(runner, http.tls_host, http.tls_port, backlog=1024, ssl_context=certificate.context).start()
    page = web.AppRunner(enrolment(Path(http.tls_folder) / "authority.pem", http.public_url), access_log=None)
    others.append(page)
    await page.setup()
    await web.TCPSite(page, http.tls_host, http.enrol_port).start()
    return asyncio.create_task(certificate.follow(), name="certificate")
