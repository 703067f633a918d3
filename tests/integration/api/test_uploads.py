"""Resumable uploads: cut and taken up again, never twice, never half; what tus 1.0.0 asks of a server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.files import PartFiles
from gridsvc.ids import new_id
from gridsvc.settings import Settings
from tests import hostile
from tests.integration.api.conftest import Api, Client, Said, a, running, settings_for
from tests.integration.patiently import until
from workers.attachments import end_uploads_round

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def how(database: str, tmp_path: Path) -> Settings:
    return settings_for(
        database, GRIDSVC_FILES=str(tmp_path / "files"), GRIDSVC_UPLOAD_LIMIT="2000000",
        GRIDSVC_UPLOADS_OPEN="3", GRIDSVC_UPLOADS_BYTES="4000000",
    )  # fmt: skip


@pytest.fixture
async def api(how: Settings, pool: ConnPool, city: None, http: ClientSession) -> AsyncIterator[Api]:
    async with running(how) as (app, url):
        yield Api(app, http, url, pool)


async def begin(client: Client, length: int, *, key: str = "", **more: str) -> Said:
    headers = {**TUS, "Upload-Length": str(length), "Idempotency-Key": key or str(new_id()), **more}
    return await client.ask("POST", "/api/v1/attachments", headers=headers)


async def begun(client: Client, length: int, **more: str) -> str:
    said = await begin(client, length, **more)
    assert said.status == 201, said.body
    return said.headers["Location"]


async def more(client: Client, where: str, offset: int, content: bytes, **headers: str) -> Said:
    return await client.ask("PATCH", where, data=content, headers={**BYTES, "Upload-Offset": str(offset), **headers})


async def offset_of(client: Client, where: str) -> int:
    said = await client.ask("HEAD", where, headers=TUS)
    assert said.status == 200, said.status
    return int(said.headers["Upload-Offset"])


def id_of(where: str) -> UUID:
    return UUID(where.rpartition("/")[2])


def metadata(**told: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())


def checksum(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


async def cut_after(api: Api, client: Client, where: str, offset: int, sent: bytes, announced: int) -> None:
    """Send the beginning of a PATCH, and break the connection when the service counts what it got."""
    parts = urlsplit(api.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = {**client.headers, **BYTES, "Upload-Offset": str(offset), "Content-Length": str(announced), "Host": "x"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"PATCH {where} HTTP/1.1\r\n{lines}\r\n".encode() + sent)
    await writer.drain()

    async def counted() -> bool:
        return await offset_of(client, where) == offset + len(sent)

    await until(counted, what="what arrived is counted")
    writer.close()
    await writer.wait_closed()


async def test_an_upload_cut_at_half_goes_on_from_there_in_another_process_and_is_whole(
    api: Api, how: Settings, http: ClientSession, pool: ConnPool
) -> None:
    ann = await api.somebody(a("officer"))
    content = hostile.photograph(1600, 1200, kind="PNG", taken_at="2026:11:23 10:00:00", orientation=1)
    taken_at = "2026-11-23T10:00:05+08:00"
    said = metadata(filename="../x.jpg", filetype="text/html", taken_at=taken_at, lon="103.8", lat="36")
    where = await begun(ann, len(content), **{"Upload-Metadata": said})
    half = len(content) // 2
    await cut_after(api, ann, where, 0, content[:half], len(content))
    async with running(how) as (_, elsewhere):  # another web process on the same directory
        there = Client(http, elsewhere, ann.headers, ann.user_id)

        async def goes_on() -> Said | None:
            said = await more(there, where, half, content[half:])
            return None if said.status == 423 else said

        rest = await until(goes_on, what="the first process sees that its connection is gone")
        assert rest is not None
    assert (rest.status, rest.headers["Upload-Offset"]) == (204, str(len(content)))
    facts = (await ann.get(f"{where}/facts")).body
    assert facts["original_sha256"] == hashlib.sha256(content).hexdigest()
    assert (facts["claimed_at"], facts["told_lon"], facts["told_lat"]) == ("2026:11:23 10:00:00", 103.8, 36.0)
    assert facts["told_at"] == "2026-11-23T02:00:05Z"
    head = await ann.ask("HEAD", where, headers=TUS)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == (str(len(content)),) * 2
    assert head.headers["Upload-Metadata"] == said
    async with api.http.get(api.url + where, headers=ann.headers) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")


async def test_bytes_that_do_not_follow_are_refused_with_the_offset_and_change_nothing(api: Api) -> None:
    ann, content = await api.somebody(a("officer")), hostile.photograph()
    where = await begun(ann, len(content))
    assert (await more(ann, where, 0, content[:1000])).status == 204
    for offset in (0, 999, 1001):  # again, overlapping, with a gap
        said = await more(ann, where, offset, content[1000:2000])
        assert (said.status, said.code, said.headers["Upload-Offset"]) == (409, "wrong_offset", "1000")
    assert (await more(ann, where, 1000, content[1000:] + b"x")).code == "too_large"
    assert await offset_of(ann, where) == 1000
    assert (await more(ann, where, 1000, content[1000:])).status == 204
    assert (await more(ann, where, 0, content)).status == 409
    assert (await more(ann, where, len(content), b"")).status == 204


async def test_of_two_requests_at_once_one_writes_and_the_other_is_told_to_wait(api: Api, how: Settings) -> None:
    ann, content = await api.somebody(a("officer")), hostile.photograph()
    where = await begun(ann, len(content))
    held = PartFiles(how.files.directory).hold(id_of(where))
    assert held is not None
    with held:
        for said in (await more(ann, where, 0, content), await ann.ask("DELETE", where, headers=TUS)):
            assert (said.status, said.code) == (423, "upload_busy")
            assert "Retry-After" in said.headers
    outcomes = await asyncio.gather(*(more(ann, where, 0, content) for _ in range(4)))
    assert {said.status for said in outcomes} <= {204, 409, 423}
    assert [said.status for said in outcomes].count(204) == 1


async def test_bytes_under_a_checksum_count_all_together_or_not_at_all(api: Api) -> None:
    ann, content = await api.somebody(a("officer")), hostile.photograph()
    where = await begun(ann, len(content))
    part = content[:3000]
    wrong = await more(ann, where, 0, part[:-1] + b"x", **{"Upload-Checksum": checksum(part)})
    assert (wrong.status, wrong.code, wrong.headers["Upload-Offset"]) == (460, "checksum_mismatch", "0")
    assert await offset_of(ann, where) == 0
    for spoilt in ("md5 AAAA", "sha256 AAAA", "sha256"):
        assert (await more(ann, where, 0, part, **{"Upload-Checksum": spoilt})).status == 400
    assert (await more(ann, where, 0, part, **{"Upload-Checksum": checksum(part)})).status == 204
    rest = content[3000:]
    assert (await more(ann, where, 3000, rest, **{"Upload-Checksum": checksum(rest, "sha1")})).status == 204


async def test_a_file_that_is_none_of_the_kinds_is_refused_by_its_last_bytes_and_ever_after(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    for content, status, code in (
        (b"GIF89a" + bytes(500), 415, "unaccepted_media"),
        (hostile.broken()["cut off"], 415, "unaccepted_media"),
    ):
        where = await begun(ann, len(content))
        assert (await more(ann, where, 0, content[:300])).status == 204
        for said in (await more(ann, where, 300, content[300:]), await more(ann, where, len(content), b"")):
            assert (said.status, said.code) == (status, code)
            assert said.body["detail"]
        assert (await ann.ask("HEAD", where, headers=TUS)).status == status
        assert (await ann.get(where)).status == 404


async def test_an_upload_with_its_first_bytes_and_the_same_beginning_sent_again(api: Api) -> None:
    ann, content = await api.somebody(a("officer")), hostile.photograph()
    headers = {**BYTES, "Upload-Length": str(len(content)), "Idempotency-Key": "k1"}
    said = [await ann.ask("POST", "/api/v1/attachments", data=content[:1000], headers=headers) for _ in range(2)]
    assert [(each.status, each.headers["Upload-Offset"]) for each in said] == [(201, "1000")] * 2
    where = said[0].headers["Location"]
    assert said[1].headers["Location"] == where
    assert (await begin(ann, len(content) + 1, key="k1")).code == "idempotency_key_reused"
    assert (await more(ann, where, 1000, content[1000:])).status == 204
    whole = {**BYTES, "Upload-Length": str(len(content)), "Idempotency-Key": "k2"}
    said_whole = await ann.ask("POST", "/api/v1/attachments", data=content, headers=whole)
    assert (said_whole.status, said_whole.headers["Upload-Offset"]) == (201, str(len(content)))


async def test_what_the_protocol_says_of_itself_and_what_it_refuses(api: Api) -> None:
    said = await api.nobody.ask("OPTIONS", "/api/v1/attachments")
    assert (said.status, said.headers["Tus-Version"], said.headers["Tus-Max-Size"]) == (204, "1.0.0", "2000000")
    assert said.headers["Tus-Extension"] == "creation,creation-with-upload,checksum,expiration,termination"
    ann, bo = await api.somebody(a("officer")), await api.somebody(a("officer"))
    where = await begun(ann, 10)
    old = await ann.ask("PATCH", where, data=b"x", headers={**BYTES, "Upload-Offset": "0", "Tus-Resumable": "0.2.2"})
    assert (old.status, old.code, old.headers["Tus-Version"]) == (412, "protocol_version", "1.0.0")
    assert (await ann.ask("POST", "/api/v1/attachments", headers={"Upload-Length": "10"})).status == 412
    for length, code in (("2000001", "too_large"), ("0", "bad_request"), ("-1", "bad_request"), ("x", "bad_request")):
        assert (await ann.ask("POST", "/api/v1/attachments", headers={**TUS, "Upload-Length": length})).code == code
    assert (await ann.ask("POST", "/api/v1/attachments", headers={**TUS, "Upload-Defer-Length": "1"})).status == 400
    nowhere, yesterday = metadata(lon="nan", lat="1"), metadata(taken_at="yesterday")
    for spoilt in (metadata(lon="103.8"), nowhere, yesterday, "x y z", "a YQ==,a YQ=="):
        assert (await begin(ann, 10, **{"Upload-Metadata": spoilt})).code == "bad_request"
    assert (await ann.ask("PATCH", where, data=b"x", headers={**TUS, "Upload-Offset": "0"})).status == 415
    for said in (
        await more(bo, where, 0, b"x"), await bo.ask("HEAD", where, headers=TUS),
        await bo.ask("DELETE", where, headers=TUS),
    ):  # fmt: skip
        assert said.status == 404
    assert (await more(api.nobody, where, 0, b"x")).status == 401
    keyless = {**ann.headers, **TUS, "Upload-Length": "10"}
    async with api.http.post(f"{api.url}/api/v1/attachments", headers=keyless) as answer:
        assert (await answer.json(content_type=None))["code"] == "idempotency_key_required"


async def test_one_caller_has_so_many_open_and_so_many_bytes_and_who_ends_one_may_begin_another(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    assert (await begin(ann, 1_900_000)).status == 201
    where = await begun(ann, 1_900_000)
    assert (await begin(ann, 300_000)).code == "too_many_tries"  # more bytes than one may have on the way
    assert (await begin(ann, 10)).status == 201
    assert (await begin(ann, 10)).code == "too_many_tries"  # a fourth
    assert (await ann.ask("DELETE", where, headers=TUS)).status == 204
    assert (await ann.ask("HEAD", where, headers=TUS)).status == 404
    assert (await begin(ann, 10)).status == 201
    assert (await begin(await api.somebody(a("officer")), 10)).status == 201


async def test_an_upload_of_which_nothing_more_comes_is_forgotten_with_what_arrived(
    api: Api, how: Settings, pool: ConnPool
) -> None:
    ann, content = await api.somebody(a("officer")), hostile.photograph()
    old, young, whole = [await begun(ann, len(content)) for _ in range(3)]
    await more(ann, whole, 0, content)
    for where in (old, young):
        await more(ann, where, 0, content[:100])
    async with transaction(pool, SERVICE) as (conn, now):
        await conn.execute("UPDATE uploads SET expires_at = $2 WHERE id = $1", id_of(old), now)
    assert (await ann.ask("HEAD", old, headers=TUS)).status == 404  # over, though not swept yet
    assert await end_uploads_round(pool, how.files) == 1
    assert PartFiles(how.files.directory).uploads() == [id_of(young)]
    assert (await more(ann, young, 100, content[100:])).status == 204
    assert (await ann.get(f"{whole}/facts")).status == 200


async def test_row_security_shows_an_upload_to_its_own_caller_alone(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    await begun(ann, 10)
    for keys, seen in (([f"user:{ann.user_id}"], 1), (["user:another"], 0), ([], 0)):
        async with transaction(api.pool, keys) as (conn, _):
            assert await conn.fetchval("SELECT count(*) FROM uploads") == seen


# -- spoilt requests -----------------------------------------------------------------------------------------

_VALUES = st.one_of(
    st.integers(-2, 700).map(str), st.sampled_from(["", "1e3", "0x10", "9" * 19, "+1", " 1", "1.0.0", "0.2.2"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)  # fmt: skip
_NAMES = st.sampled_from([
    "Tus-Resumable", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Checksum", "Content-Type",
    "Upload-Concat", "Content-Encoding",
])  # fmt: skip
_HEADERS = st.dictionaries(_NAMES, _VALUES, max_size=3)
_METHODS = st.sampled_from(["POST", "PATCH", "PATCH", "HEAD", "DELETE"])
_STEP = st.tuples(_METHODS, _HEADERS, st.integers(0, 700), st.booleans())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, min_size=1, max_size=6))
async def test_whatever_is_sent_no_byte_is_lost_or_counted_twice_and_nothing_breaks(
    api: Api, steps: list[tuple[str, Mapping[str, str], int, bool]]
) -> None:
    """A model: one upload, so many bytes of it; every answer is one of the protocol, none a fault of ours."""
    ann = await api.somebody(a("officer"))
    where, there, alive, content = await begun(ann, 600), 0, True, bytes(range(200)) * 3
    for method, spoilt, size, honest in steps:
        path = "/api/v1/attachments" if method == "POST" else where
        proper = {**BYTES, "Upload-Offset": str(there), "Upload-Length": "600"}
        headers = proper if honest else {**proper, **spoilt}
        body = content[there : there + size] if method == "PATCH" else None
        said = await ann.ask(method, path, data=body, headers=headers)
        assert said.status in {200, 201, 204, 400, 404, 409, 412, 413, 415, 429, 460}, (method, headers, said.body)
        if method == "PATCH" and said.status == 204:
            assert alive
            there = int(said.headers["Upload-Offset"])
        elif method == "PATCH" and alive and there + len(body or b"") == 600 and said.status == 415 and honest:
            there = 600  # whole, and no picture
        alive = alive and not (method == "DELETE" and said.status == 204)
        now = await ann.ask("HEAD", where, headers=TUS)
        if not alive:
            assert now.status == 404
        elif now.status == 200:
            assert int(now.headers["Upload-Offset"]) == there < 600
        else:
            assert now.status == 415  # refused for good
            there = 600
