"""A picture is fetched from the hosts of the allow-list and from nowhere else, within limits; a real server answers."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence

import pytest

from gridsvc.domain.camera_picture import Host, Refusal
from tests.integration.picture_server import PictureServer, picture_server
from workers.fetch import MOST_BYTES, fetch


@pytest.fixture
async def server() -> AsyncIterator[PictureServer]:
    async with picture_server() as running:
        yield running


async def fetched(url: str, hosts: Sequence[Host], said: str | None = None) -> bytes | Refusal:
    with tempfile.TemporaryFile() as file:
        why = await fetch(url, hosts, lambda _: said, file)
        if why is not None:
            return why
        file.seek(0)
        return file.read()


async def test_what_a_listed_host_has_is_fetched_with_its_credential(server: PictureServer) -> None:
    server.has("/pictures/1.jpg", b"a picture")
    url = f"{server.url}/pictures/1.jpg?size=2"
    assert await fetched(url, [server.host(prefix="/pictures")], "Basic YTpi") == b"a picture"
    assert server.asked == [("/pictures/1.jpg?size=2", "Basic YTpi")]


async def test_nothing_else_is_asked(server: PictureServer) -> None:
    server.has("/admin", b"secret")
    assert await fetched(f"{server.url}/admin", [server.host(prefix="/pictures")]) == Refusal.NOT_LISTED
    closed = server.host(networks=[])
    assert await fetched(f"{server.url}/admin", [closed]) == Refusal.ADDRESS, "loopback is not public"
    by_name = server.host(name="localhost", networks=["10.0.0.0/8"])
    assert await fetched(f"http://localhost:{server.port}/admin", [by_name]) == Refusal.ADDRESS
    assert server.asked == []


async def test_a_name_is_asked_at_the_address_that_the_list_allows(server: PictureServer) -> None:
    server.has("/1.jpg", b"a picture")
    by_name = server.host(name="localhost", networks=["127.0.0.1/32"])
    assert await fetched(f"http://localhost:{server.port}/1.jpg", [by_name]) == b"a picture"


async def test_a_redirect_stays_on_the_list_and_takes_no_credential_elsewhere(server: PictureServer) -> None:
    server.has("/pictures/new.jpg", b"a picture")
    server.has("/pictures/moved", b"", 302, Location="new.jpg")
    server.has("/pictures/away", b"", 302, Location=f"{server.url}/admin")
    server.has("/pictures/round", b"", 307, Location="/pictures/round")
    server.has("/admin", b"secret")
    hosts = [server.host(prefix="/pictures")]
    assert await fetched(f"{server.url}/pictures/moved", hosts) == b"a picture"
    assert await fetched(f"{server.url}/pictures/away", hosts, "Basic YTpi") == Refusal.REDIRECT
    assert await fetched(f"{server.url}/pictures/round", hosts) == Refusal.REDIRECT
    assert "/admin" not in [path for path, _ in server.asked]


async def test_a_credential_is_for_its_host_alone(server: PictureServer) -> None:
    async with picture_server() as other:
        other.has("/1.jpg", b"a picture")
        server.has("/moved", b"", 302, Location=f"{other.url}/1.jpg")
        hosts = [server.host("here"), other.host("there")]
        with tempfile.TemporaryFile() as file:
            said = {"here": "Basic YTpi", "there": None}
            assert await fetch(f"{server.url}/moved", hosts, lambda host: said[host.code], file) is None
        assert (server.asked, other.asked) == ([("/moved", "Basic YTpi")], [("/1.jpg", None)])


async def test_what_is_too_large_packed_or_refused_is_left(server: PictureServer) -> None:
    server.has("/large", bytes(MOST_BYTES + 1))
    server.has("/packed", b"\x1f\x8b", Content_Encoding="gzip")
    server.has("/later", b"", 503)
    hosts = [server.host()]
    assert await fetched(f"{server.url}/large", hosts) == Refusal.TOO_LARGE
    assert await fetched(f"{server.url}/packed", hosts) == Refusal.BAD_ANSWER
    assert await fetched(f"{server.url}/later", hosts) == Refusal.BAD_ANSWER


async def test_a_host_that_is_away_is_unreachable(server: PictureServer) -> None:
    gone = Host(code="x", scheme="http", host="127.0.0.1", port=1, path_prefix="/", networks=["127.0.0.0/8"])
    assert await fetched("http://127.0.0.1:1/1.jpg", [gone]) == Refusal.UNREACHABLE
