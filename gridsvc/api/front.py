"""GET /: a plain page for whoever opens the address in a browser: what runs here, and how to ask it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gridsvc.api.route import PUBLIC, Route

_PAGE: Final = """\
<!doctype html>
<html lang="zh-CN">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>gridsvc</title>
<main>
<h1>gridsvc</h1>
<p lang="zh-CN">城市网格化管理的事件服务正在运行。它目前通过接口使用；指挥中心和网格员应用还没有建成。
<p lang="en">The event system of a city that is managed by grids is running. It is used through its interface;
the control centre and the officer's app are not built yet.
<ul>
<li><a href="/openapi.json">/openapi.json</a> <span lang="zh-CN">全部接口</span> · everything it can be asked
<li><a href="/readyz">/readyz</a> <span lang="zh-CN">能否服务</span> · whether it can serve
<li><a href="/metrics">/metrics</a> <span lang="zh-CN">运行指标</span> · how it is doing (from this machine)
</ul>
<p lang="zh-CN">在项目目录里试一试：
<p lang="en">Try it, in the project's folder:
<pre>python3 docs/examples/first_report.py</pre>
</main>
</html>
"""


async def get_front(request: web.Request) -> web.Response:
    """The page; it holds nothing of the city, so everybody may see it."""
    return web.Response(
        text=_PAGE,
        content_type="text/html",
        headers={
            "Content-Security-Policy": "default-src 'none'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
        },
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/",
        handler=get_front,
        roles=PUBLIC,
        summary="A plain page that says what runs here.",
    ),
)
