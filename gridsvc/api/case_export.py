"""GET /api/v1/cases.csv and .geojson: what the filters give, as a file, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from geo.sketch import WANTED, Around, Outlined, read_sketch
from gridsvc.api.cases import READERS
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Wanted, read_query
from gridsvc.domain.access import scope_keys
from gridsvc.domain.case_state import Pool, State
from gridsvc.domain.export import CODES, feature, headings, rows
from gridsvc.domain.sheet import written_csv
from gridsvc.errors import BadRequest
from gridsvc.store import case_export
from gridsvc.store.case_export import ExportedCase, ExportFilters
from gridsvc.store.rulebook import rulebook

_Code = Annotated[str, msgspec.Meta(max_length=64)]
_Codes = Annotated[list[_Code], msgspec.Meta(max_length=20)] | _Code | None


class Headings(StrEnum):
    """The language of a table's headings."""

    ZH = "zh"
    EN = "en"


class ExportQuery(Wanted):
    """How a file of cases is narrowed: as the control centre's list, with its names. A list's name comes many times.

    `cell` is how the code of a cell begins. `area` is one that was drawn, in WGS-84: `box,west,south,east,north`,
    `circle,lon,lat,metres`, or `ring,lon,lat,lon,lat,…`.
    """

    state: _Codes = None
    severity: _Codes = None
    pool: _Codes = None
    source: _Codes = None
    division: _Code | None = None
    line: _Code | None = None
    officer: UUID | None = None
    cell: _Code | None = None
    area: Annotated[str, msgspec.Meta(max_length=5_000)] | None = None
    late: bool = False
    pooled: bool = False
    q: Annotated[str, msgspec.Meta(max_length=200)] = ""
    headings: Headings = Headings.ZH


async def _csv(request: web.Request) -> web.StreamResponse:
    """Rows under headings: UTF-8 with byte-order mark; no cell that a spreadsheet would run."""
    query = read_query(request, ExportQuery)
    chinese = query.headings is Headings.ZH

    def first() -> bytes:
        return written_csv([headings(chinese=chinese)])

    def some(found: list[ExportedCase], zone: ZoneInfo, _: bool) -> bytes:
        return written_csv(rows(found, zone, chinese=chinese), CODES).removeprefix(b"\xef\xbb\xbf")

    return await _sent(request, query, "text/csv", "csv", (first, some, b""))


async def _geojson(request: web.Request) -> web.StreamResponse:
    """A FeatureCollection (RFC 7946) in WGS-84; a case without a place has no geometry."""
    query = read_query(request, ExportQuery)

    def first() -> bytes:
        return b'{"type":"FeatureCollection","features":['

    def some(found: list[ExportedCase], zone: ZoneInfo, is_first: bool) -> bytes:
        features = b",\n".join(msgspec.json.encode(feature(case, zone)) for case in found)
        return features if is_first or not features else b",\n" + features

    return await _sent(request, query, "application/geo+json", "geojson", (first, some, b"]}\n"))


_Writers = tuple[Callable[[], bytes], Callable[[list[ExportedCase], ZoneInfo, bool], bytes], bytes]


async def _sent(
    request: web.Request, query: ExportQuery, media: str, ending: str, writers: _Writers
) -> web.StreamResponse:
    first, some, last = writers
    pages = _pages(request, _filters(query))
    page, zone = await anext(pages)  # a refusal, or a database that is away, is still answered as one
    sent = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="cases.{ending}"'})
    sent.content_type = media
    if media == "text/csv":
        sent.charset = "utf-8"
    await sent.prepare(request)
    await sent.write(first() + await asyncio.to_thread(some, page, zone, True))
    async for page, zone in pages:
        await sent.write(await asyncio.to_thread(some, page, zone, False))
    await sent.write_eof(last)
    return sent


async def _pages(request: web.Request, filters: ExportFilters) -> AsyncIterator[tuple[list[ExportedCase], ZoneInfo]]:
    """Pages of cases, newest first, each read in a transaction of its own: a slow reader holds none open."""
    keys, before = scope_keys(caller_of(request)), None
    while True:
        async with scoped(request) as (conn, now):
            found = await case_export.page(conn, keys, now, filters, before)
            zone = (await rulebook(conn)).zone
        yield found, zone
        if len(found) < case_export.PAGE:
            return
        before = found[-1].id


def _filters(query: ExportQuery) -> ExportFilters:
    area = None if query.area is None else read_sketch(query.area)
    if query.area is not None and area is None:
        given = query.area[:80]
        raise BadRequest(f"area {given!r} cannot be read", field="area", given=given, wanted=WANTED)
    return ExportFilters(
        states=_known("state", _listed(query.state), State), severities=_listed(query.severity),
        pools=_known("pool", _listed(query.pool), Pool), sources=_listed(query.source), division=query.division,
        duty_line=query.line, officer=query.officer, late=query.late, pooled=query.pooled, words=query.q.split(),
        cell=query.cell, outline=area.wkt if isinstance(area, Outlined) else None,
        around=area if isinstance(area, Around) else None,
    )  # fmt: skip


def _listed(given: list[str] | str | None) -> list[str] | None:
    return [given] if isinstance(given, str) else given


def _known(field: str, given: list[str] | None, codes: type[StrEnum]) -> list[str] | None:
    for each in given or ():
        if each not in set(codes):
            wanted = [str(code) for code in codes]
            raise BadRequest(f"{field} {each!r} does not exist", field=field, given=each, wanted=wanted)
    return given


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/cases.csv", handler=_csv, roles=READERS, scope="cases:read", query=ExportQuery,
        summary="What the filters give, as a table for a spreadsheet.",
    ),
    Route(
        method="GET", path="/api/v1/cases.geojson", handler=_geojson, roles=READERS, scope="cases:read",
        query=ExportQuery, summary="What the filters give, as points for a map.",
    ),
)  # fmt: skip
