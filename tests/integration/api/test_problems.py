"""What a caller is told when something is wrong, and what the outside never learns."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from aiohttp import ClientSession, web

from gridsvc import errors
from gridsvc.api.problems import STATUSES, status_of
from gridsvc.api.route import PUBLIC, Route
from gridsvc.api.wire import Moment, Wanted, if_match, path_id, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import ConnPool
from gridsvc.errors import GridError, SetupError
from tests.integration.api.conftest import Client, running, settings_for
from tests.servers import FreshDatabase

DOC = Path(__file__).parents[3] / "docs/errors.md"


class Inner(Wanted):
    lon: float


class Said(Wanted):
    name: Annotated[str, msgspec.Meta(max_length=10)]
    at: Moment | None = None
    count: int = 0
    inner: Inner | None = None
    many: list[str] = msgspec.field(default_factory=list)
    free: dict[str, Any] = msgspec.field(default_factory=dict)


class Asked(Wanted):
    limit: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    state: list[str] | str | None = None
    cursor: str | None = None


async def _echo(request: web.Request) -> web.Response:
    return reply(await read_body(request, Said))


async def _query(request: web.Request) -> web.Response:
    asked = read_query(request, Asked)
    return reply(read_cursor(asked.cursor, tuple[UUID, int]) if asked.cursor else asked)


async def _match(request: web.Request) -> web.Response:
    return reply(repr(if_match(request)))


async def _by_id(request: web.Request) -> web.Response:
    return reply(path_id(request))


def _raising(fault: Exception) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(_: web.Request) -> web.StreamResponse:
        raise fault

    return handler


FAULTS: dict[str, Exception] = {
    "ours": RuntimeError("the password is hunter2"),
    "setup": SetupError("a setting is wrong"),
    "value": asyncpg.exceptions.DataError("invalid input for query argument $1"),
    "gone": asyncpg.ConnectionDoesNotExistError("connection was closed"),
    "killed": asyncpg.InternalClientError("got result for unknown protocol state"),
    "closing": asyncpg.InterfaceError("pool is closing"),
    "stopping": asyncpg.exceptions.AdminShutdownError("terminating"),
    "slow": asyncpg.QueryCanceledError("statement timeout"),
    "locked": asyncpg.LockNotAvailableError("lock timeout"),
    "deadlock": asyncpg.DeadlockDetectedError("deadlock"),
    "refused": ConnectionRefusedError(111, "refused"),
    "timeout": TimeoutError(),
}

ROUTES = (
    Route(method="POST", path="/echo", handler=_echo, roles=PUBLIC, reads=Said, summary=""),
    Route(method="GET", path="/query", handler=_query, roles=PUBLIC, query=Asked, summary=""),
    Route(method="POST", path="/match", handler=_match, roles=PUBLIC, summary=""),
    Route(method="GET", path="/thing/{id}", handler=_by_id, roles=PUBLIC, summary=""),
    *(
        Route(method="GET", path=f"/raise/{name}", handler=_raising(fault), roles=PUBLIC, summary="")
        for name, fault in FAULTS.items()
    ),
)


@pytest.fixture(scope="module")
async def client(module_database: FreshDatabase) -> AsyncIterator[Client]:
    async with (
        running(settings_for(module_database.url, GRIDSVC_BODY_LIMIT="2000"), routes=ROUTES) as (_, url),
        ClientSession() as http,
    ):
        yield Client(http, url)


# ---- the table ----------------------------------------------------------------------------------


def _leaves(kind: type[GridError]) -> list[type[GridError]]:
    below = kind.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [kind]


def test_every_error_that_a_request_can_end_in_has_its_status() -> None:
    for leaf in _leaves(GridError):
        assert issubclass(leaf, SetupError) != (leaf in STATUSES), leaf
    assert status_of(SetupError) == 500


def test_codes_are_told_apart() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, GridError)]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)


def test_the_document_lists_every_error_with_its_status() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d{3}|-) \|", DOC.read_text(encoding="utf-8"), re.MULTILINE))
    wanted = {kind.code: str(STATUSES[kind]) for kind in STATUSES}
    wanted |= {kind.code: "-" for kind in _leaves(SetupError)}
    assert {code: status for code, status in rows.items() if code not in {"internal", "method_not_allowed"}} == wanted
    assert rows["internal"] == "500"
    assert rows["method_not_allowed"] == "405"


# ---- bodies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"name": 5}', "name"),
        (b'{"nam": "x"}', "nam"),
        (b'{"name": "x", "extra": 1}', "extra"),
        (b'{"name": "x", "inner": {"lon": "1"}}', "inner.lon"),
        (b'{"name": "x", "inner": {"lon": 1, "lot": 2}}', "inner.lot"),
        (b'{"name": "x", "many": ["a", 7]}', "many[1]"),
        (b'{"name": "01234567890"}', "name"),
        (b'{"name": "x", "at": "2026-11-23T08:00:00"}', "at"),
        (b'{"name": "x", "at": "yesterday"}', "at"),
        (b'{"name": "x", "count": 1.5}', "count"),
        (b'{"name": "x", "count": true}', "count"),
        (b'{"name": "x", "name": "y"}', "name"),
        (b'{"name": "x", "inner": {"lon": 1, "lon": 2}}', "lon"),
        (b'{"name": "a\\u0000b"}', "name"),
        (b'{"name": "x", "many": ["", "\\ud800"]}', "many[1]"),
        (b'{"name": "x", "free": {"a\\u0000": 1}}', None),
        (b'{"name": "x", "free": {"\\udc00": 1}}', None),
        (b'{"name": "x", "count": NaN}', None),
        (b'{"name": "x", "count": 1' + b"0" * 900 + b"}", None),
        (b"[" * 1900, None),
        (b"[]", ""),
        (b"null", ""),
        (b"{", None),
        (b'{"name": "x"} x', None),
        (b'{"name": "\xff"}', None),
        (b'\xef\xbb\xbf{"name": "x"}', None),
        (b"", "name"),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_well_formed_is_refused_by_field(
    client: Client, body: bytes, field: str | None
) -> None:
    said = await client.ask("POST", "/echo", data=body)
    assert (said.status, said.code) == (400, "bad_request"), said.body
    assert said.body["wanted"]
    assert field is None or said.body["field"] == field, said.body


async def test_what_is_well_formed_passes_with_its_characters_as_typed(client: Client) -> None:
    text = '{"name":"井盖\\\\u0000😀","at":"2026-11-23T08:00:00+08:00","count":0,"inner":null,"many":[],"free":{}}'
    said = await client.ask("POST", "/echo", data=text.encode())
    assert said.status == 200, said.body
    assert said.body == msgspec.json.decode(text)


async def test_a_refusal_says_what_was_given_and_what_is_wanted(client: Client) -> None:
    said = await client.post("/echo", {"name": "x", "inner": {"lon": "east"}})
    assert said.body == {
        "type": "urn:gridsvc:problem:bad_request", "title": "The request is not well-formed",
        "status": 400, "code": "bad_request", "instance": "/echo",
        "detail": "inner.lon: Expected `float`, got `str`",
        "field": "inner.lon", "given": "east", "wanted": "Expected `float`, got `str`",
    }  # fmt: skip


async def test_a_body_that_is_too_large_packed_or_of_another_kind_is_refused(client: Client) -> None:
    large = await client.ask("POST", "/echo", data=b'{"name":"' + b"x" * 3000 + b'"}')
    assert (large.status, large.code) == (413, "too_large")
    form = await client.ask("POST", "/echo", data=b"name=x", headers={"Content-Type": "text/plain"})
    assert (form.status, form.code) == (415, "unaccepted_media")
    packed = await client.ask("POST", "/echo", data=b"x", headers={"Content-Encoding": "gzip"})
    assert (packed.status, packed.code) == (415, "unaccepted_media")


# ---- the rest of a request ----------------------------------------------------------------------


@pytest.mark.parametrize("query", ["limit=0", "limit=6", "limit=x", "limt=1", "limit=1&limit=2", "state=%00"])
async def test_a_query_is_read_as_strictly_as_a_body(client: Client, query: str) -> None:
    assert (await client.get(f"/query?{query}")).code == "bad_request"


async def test_a_list_in_a_query_is_its_name_again(client: Client) -> None:
    assert (await client.get("/query?state=filed&state=closed&limit=3")).body["state"] == ["filed", "closed"]


async def test_a_cursor_is_taken_back_as_given_and_no_other_text_is(client: Client) -> None:
    given = (UUID(int=7), 3)
    assert (await client.get(f"/query?cursor={write_cursor(*given)}")).body == [str(given[0]), 3]
    for other in ("x", "!", write_cursor("x", 3), write_cursor(given[0]), write_cursor(*given)[:-2], "%F0%9F%98%80"):
        assert (await client.get(f"/query?cursor={other}")).code == "bad_request", other


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ('"7"', "AtVersion(version=7)"),
        ('"a:00000000-0000-0000-0000-000000000007"', f"WhileAssigned(assignment_id={UUID(int=7)!r})"),
    ],
)
async def test_a_change_names_a_version_or_an_assignment(client: Client, header: str, read: str) -> None:
    assert (await client.post("/match", If_Match=header)).body == read


async def test_a_change_without_a_version_or_with_a_vague_one_is_refused(client: Client) -> None:
    none = await client.post("/match")
    assert (none.status, none.code) == (428, "version_required")
    for vague in ("*", "7", 'W/"7"', '"7", "8"', '"0"', '"-1"', '"a:x"', '"a:' + "-" * 36 + '"', ""):
        assert (await client.post("/match", If_Match=vague)).code == "bad_request", vague


async def test_what_is_no_id_is_unknown(client: Client) -> None:
    assert (await client.get("/thing/7")).code == "unknown"
    assert (await client.get(f"/thing/{UUID(int=7)}")).status == 200


async def test_an_unknown_path_and_an_unknown_method_are_problems_too(client: Client) -> None:
    lost = await client.get("/nowhere")
    assert (lost.status, lost.code) == (404, "unknown")
    wrong = await client.post("/query")
    assert (wrong.status, wrong.code, wrong.headers["Allow"]) == (405, "method_not_allowed", "GET")


async def test_every_answer_carries_the_browsers_orders(client: Client) -> None:
    for path in ("/query", "/nowhere", "/raise/ours"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert headers["Cache-Control"] == "no-store", path
        assert "Strict-Transport-Security" not in headers, "plain http cannot promise https"
        assert "Access-Control-Allow-Origin" not in headers


# ---- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ours", "setup", "value"])
async def test_a_fault_of_ours_is_logged_once_and_tells_the_caller_nothing(
    client: Client, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.WARNING):
        said = await client.get(f"/raise/{name}")
    assert (said.status, said.code) == (500, "internal")
    assert "hunter2" not in str(said.body)
    (record,) = caplog.records
    assert vars(record)["action"] == "request_failed"
    assert said.body["instance"] == f"urn:uuid:{vars(record)['incident']}"
    assert record.exc_info is not None


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in {"ours", "setup", "value"}])
async def test_a_database_that_is_away_means_try_again(client: Client, name: str) -> None:
    said = await client.get(f"/raise/{name}")
    assert (said.status, said.code) == (503, "unavailable")
    assert said.headers["Retry-After"] == "2"


async def test_a_killed_connection_is_a_503_and_the_next_request_is_served(
    database: str, owner_database: str, pool: ConnPool, city: None, http: ClientSession
) -> None:
    async with running(settings_for(database)) as (_, url):
        client = Client(http, url)
        owner = await asyncpg.connect(owner_database)
        try:
            killed = await owner.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name LIKE 'gridsvc web%' AND datname = current_database()"
            )
            assert killed >= 2
        finally:
            await owner.close()
        statuses = [(await client.get("/readyz")).status for _ in range(4)]
        assert statuses[-1] == 200, statuses
        assert set(statuses) <= {200, 503}
