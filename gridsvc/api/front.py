"""GET /, /officer/ and /static: the pages and the files of all pages; POST /csp-reports."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import msgspec
from aiohttp import hdrs, web

from gridsvc.api.health import METRICS
from gridsvc.api.route import PUBLIC, Route
from gridsvc.api.shelf import Sheet, Shelf, read_shelf
from gridsvc.api.wire import read_bytes
from gridsvc.errors import Unknown

log = logging.getLogger(__name__)

# Scripts, workers, styles, fonts, calls and pictures come from here alone, and nothing stands inline. The map
# library draws its icons from data:, and pictures that a person is about to send are shown from blob:.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "report-uri /csp-reports",
    )
)

# A desk needs no camera; a phone outside needs all three.
_AT_A_DESK: Final = "camera=(), microphone=(), geolocation=(self)"
_OUTSIDE: Final = "camera=(self), microphone=(self), geolocation=(self)"

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"

_NOT_INSTALLED: Final = """\
<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>gridsvc</title>
<main>
<h1>gridsvc</h1>
<p lang="zh-CN">服务正在运行，但网页所需的软件包尚未安装：请在项目目录里执行 <code>make install</code>，然后重新启动。
<p lang="en">The service runs, but the packages of its pages are not installed: run <code>make install</code> in the
project's folder and start it again. Its interface answers all the same: <a href="/openapi.json">/openapi.json</a>.
</main>
</html>
"""

# ---- the files ----------------------------------------------------------------------------------

_SHELF: Final = web.AppKey("shelf", list[Shelf])


def shelve(app: web.Application) -> None:
    """Make room for the files; they are read when the first page is asked for."""
    app[_SHELF] = []


async def lay_out(app: web.Application) -> None:
    """Read and pack the files before anybody asks for them."""
    await asyncio.to_thread((await _shelf(app)).pack)


async def _shelf(app: web.Application) -> Shelf:
    kept = app[_SHELF]
    if not kept:
        read = await asyncio.to_thread(read_shelf)
        kept.append(read)  # two that read at once read the same
    return kept[0]


async def get_front(request: web.Request) -> web.Response:
    """The page of the control centre; it holds nothing of the city, so everybody may see it."""
    return await _front(request, "centre/index.html")


async def get_wall(request: web.Request) -> web.Response:
    """The page of the video wall; what it shows it asks for in the name of whoever signed in there."""
    return await _front(request, "centre/wall.html")


async def get_officer(request: web.Request) -> web.Response:
    """The page of the officer's app; what it shows it asks for in the name of whoever signed in there."""
    return await _front(request, "officer/index.html", _OUTSIDE)


async def lead_to_officer(request: web.Request) -> web.Response:
    """The address as people type it; the app lives below the one with the stroke."""
    return web.Response(status=308, headers={hdrs.LOCATION: "/officer/"})


async def get_officer_worker(request: web.Request) -> web.Response:
    """The service worker of the officer's app: other with every build, so that a browser finds each new one."""
    shelf = await _shelf(request.app)
    files = [f"/static/{shelf.build}/{name}" for name in shelf.needed_by("officer")]
    text = (
        f'import {{ start }} from "/static/{shelf.build}/officer/sw.js";\n'
        f"start({msgspec.json.encode(shelf.build).decode()}, {msgspec.json.encode(files).decode()});\n"
    )
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": _ASK_AGAIN, "ETag": f'"{shelf.build}"'}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(text=text, content_type="text/javascript", headers=headers)


async def _front(request: web.Request, name: str, allows: str = _AT_A_DESK) -> web.Response:
    shelf = await _shelf(request.app)
    if not shelf.whole:
        return web.Response(
            text=_NOT_INSTALLED, status=503, content_type="text/html",
            headers={"Content-Security-Policy": "default-src 'none'; img-src data:; frame-ancestors 'none'"},
        )  # fmt: skip
    return await _page(request, shelf, name, allows)


async def _page(request: web.Request, shelf: Shelf, name: str, allows: str) -> web.Response:
    """A page, with the address of this build's files put in. A browser asks each time whether it is still the same."""
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": _ASK_AGAIN,
        "ETag": f'"{shelf.build}"',
        "Permissions-Policy": allows,
    }
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(text=shelf.page(name), content_type="text/html", headers=headers)


async def get_static(request: web.Request) -> web.Response:
    """One file. Under the build's own hash it never changes; a page that is older than this process asks each time."""
    shelf, name = await _shelf(request.app), request.match_info["path"]
    sheet = shelf.sheets.get(name)
    if sheet is None or name.endswith(".html"):
        raise Unknown(f"no file {request.path[:200]}", given=request.path[:200])
    ours = request.match_info["build"] == shelf.build
    headers = {
        "Cache-Control": _FOR_EVER if ours else _ASK_AGAIN,
        "ETag": sheet.etag,
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": _POLICY,  # a worker lives by the policy of its own file
    }
    if sheet.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return await _sent(request, sheet, headers)


async def _sent(request: web.Request, sheet: Sheet, headers: dict[str, str]) -> web.Response:
    body = sheet.body
    if "gzip" in request.headers.get("Accept-Encoding", "") and sheet.may_be_packed:
        packed = await asyncio.to_thread(sheet.packed)
        assert packed is not None  # noqa: S101 - it may be packed
        body, headers = packed, {**headers, "Content-Encoding": "gzip"}
    return web.Response(body=body, headers={**headers, hdrs.CONTENT_TYPE: sheet.type})


# ---- what a browser refused to load ---------------------------------------------------------------

_MOST_OF_A_REPORT: Final = 16_384

DIRECTIVES: Final = frozenset(
    {
        "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem", "style-src-attr",
        "img-src", "font-src", "connect-src", "worker-src", "manifest-src", "base-uri", "form-action",
        "frame-ancestors", "default-src", "frame-src", "media-src", "object-src",
    }
)  # fmt: skip
"""Rules that a report may name; whatever else it says is counted as `other`, so that nobody can invent figures."""


class _Refused(msgspec.Struct):
    effective: str = msgspec.field(name="effective-directive", default="")
    violated: str = msgspec.field(name="violated-directive", default="")


class _Report(msgspec.Struct):
    refused: _Refused = msgspec.field(name="csp-report")


async def take_csp_report(request: web.Request) -> web.Response:
    """Count which rule of the Content-Security-Policy was broken. Addresses may be personal: none is kept."""
    raw = await read_bytes(request, _MOST_OF_A_REPORT)
    try:
        refused = msgspec.json.decode(raw, type=_Report).refused
        named = refused.effective or refused.violated.partition(" ")[0]
    except msgspec.MsgspecError:
        named = ""
    directive = named if named in DIRECTIVES else "other"
    if request.app[METRICS].refused_by_policy(directive) == 1:
        # Anybody may send these, as many as he likes: the log has the first of each kind, the figure has all.
        log.warning("a page was kept from what its policy forbids", extra={"action": "csp_report", "code": directive})
    return web.Response(status=204)


ROUTES: Final = (
    Route(
        method="GET", path="/", handler=get_front, roles=PUBLIC, statuses=(200, 304), head=True,
        summary="The control centre, for a browser.",
    ),
    Route(
        method="GET", path="/wall", handler=get_wall, roles=PUBLIC, statuses=(200, 304), head=True,
        summary="The video wall of the control centre, for a browser.",
    ),
    Route(
        method="GET", path="/officer/", handler=get_officer, roles=PUBLIC, statuses=(200, 304), head=True,
        summary="The officer's app, for a phone's browser.",
    ),
    Route(
        method="GET", path="/officer", handler=lead_to_officer, roles=PUBLIC, statuses=(308,), head=True,
        summary="Leads to the officer's app.",
    ),
    Route(
        method="GET", path="/officer/sw.js", handler=get_officer_worker, roles=PUBLIC, statuses=(200, 304), head=True,
        summary="The service worker of the officer's app: what it keeps for when there is no network.",
    ),
    Route(
        method="GET", path="/static/{build}/{path:.+}", handler=get_static, roles=PUBLIC, statuses=(200, 304),
        head=True,
        summary="A file of the pages; under the hash of their build it never changes.",
    ),
    Route(
        method="POST", path="/csp-reports", handler=take_csp_report, roles=PUBLIC, statuses=(204,),
        summary="What a browser kept a page from doing; it is counted, and nothing else is kept of it.",
    ),
)  # fmt: skip
