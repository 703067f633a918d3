"""Photographs over HTTP: what a form answers, who sees a picture, and how it becomes evidence."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientSession
from PIL import Image

from gridsvc.db import ConnPool, transaction
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.errors import Unknown
from gridsvc.ids import new_id
from gridsvc.store import attachments
from tests import hostile
from tests.integration.api.conftest import NORTH, SOUTH, Api, Client, Said, a, running, settings_for


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
async def api(database: str, pool: ConnPool, city: None, http: ClientSession, files: Path) -> AsyncIterator[Api]:
    """The service with a file store of this test's own, and a small limit of size."""
    settings = settings_for(database, GRIDSVC_FILES=str(files), GRIDSVC_UPLOAD_LIMIT="2000000")
    async with running(settings) as (app, url):
        yield Api(app, http, url, pool)


async def upload(client: Client, *contents: bytes, field: str = "file", key: str = "") -> Said:
    """A form of files, with names and types that are not true and a boundary of its own."""
    boundary = uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="../x.html"\r\n'
        f"Content-Type: text/html\r\n\r\n".encode()
        + content
        + b"\r\n"
        for content in contents
    ]
    headers = {
        **client.headers,
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Idempotency-Key": key or str(new_id()),
    }
    body = io.BytesIO(b"".join(parts) + f"--{boundary}--\r\n".encode())
    async with client.http.post(f"{client.url}/api/v1/attachments", data=body, headers=headers) as answer:
        return Said(answer.status, await answer.json(content_type=None), answer.headers.copy(), {})


def stored(files: Path) -> Sequence[Path]:
    """Everything in the store, what was left lying aside too."""
    return sorted(path for path in files.rglob("*") if path.is_file())


async def test_a_photograph_is_kept_as_our_own_drawing_and_its_claims_apart(api: Api, files: Path) -> None:
    ann = await api.somebody(a("officer"))
    content = hostile.photograph(taken_at="2026:11:23 10:00:00", place=(103.834, 36.061))
    said = await upload(ann, content)
    assert said.status == 201
    (item,) = said.body["items"]
    assert said.body["id"] == item["id"]
    assert (item["width"], item["height"], item["claimed_at"]) == (640, 480, "2026:11:23 10:00:00")
    assert item["claimed_lon"] == pytest.approx(103.834, abs=1e-6)
    async with api.http.get(f"{api.url}/api/v1/attachments/{item['id']}", headers=ann.headers) as answer:
        shown = await answer.read()
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        etag = answer.headers["ETag"]
    with Image.open(io.BytesIO(shown)) as image:
        assert not image.getexif()
    async with api.http.get(f"{api.url}/api/v1/attachments/{item['id']}/thumb", headers=ann.headers) as answer:
        with Image.open(io.BytesIO(await answer.read())) as thumb:
            assert thumb.size == (320, 240)
    again = {**ann.headers, "If-None-Match": etag}
    async with api.http.get(f"{api.url}/api/v1/attachments/{item['id']}", headers=again) as answer:
        assert answer.status == 304


async def test_the_same_content_is_stored_once_whoever_sends_it(api: Api, files: Path) -> None:
    content = hostile.photograph()
    for client in (await api.somebody(a("officer")), await api.somebody(a("officer"))):
        assert (await upload(client, content)).status == 201
    assert len(stored(files)) == 3  # the picture, its thumbnail, and what was sent


async def test_a_form_is_answered_file_by_file_and_one_at_fault_loses_no_other(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    large = hostile.photograph() + bytes(2_000_000)
    said = await upload(ann, b"GIF89a....", hostile.photograph(), large, hostile.broken()["cut off"])
    assert said.status == 201
    assert said.body["id"] is None
    codes = [None if item["problem"] is None else item["problem"]["code"] for item in said.body["items"]]
    assert codes == ["unaccepted_media", None, "too_large", "unaccepted_media"]


@pytest.mark.parametrize(
    ("contents", "status", "code"),
    [
        ([b"GIF89a...."], 415, "unaccepted_media"),
        ([b""], 415, "unaccepted_media"),
        ([hostile.photograph() + bytes(2_000_000)], 413, "too_large"),
        ([bytes(9_000_000)], 413, "too_large"),
        ([b"GIF89a....", b"%PDF-1.7"], 415, "unaccepted_media"),
        ([b"x"] * 11, 413, "too_large"),
        ([], 400, "bad_request"),
    ],
)
async def test_a_form_of_which_nothing_can_be_kept_is_refused(
    api: Api, files: Path, contents: list[bytes], status: int, code: str
) -> None:
    ann = await api.somebody(a("officer"))
    said = await upload(ann, *contents)
    assert (said.status, said.code) == (status, code)
    assert not stored(files)


async def test_a_body_that_is_no_form_of_files_is_refused(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    assert (await ann.post("/api/v1/attachments", {"file": "x"})).status == 415
    assert (await upload(ann, hostile.photograph(), field="image")).status == 400
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await ann.ask("POST", "/api/v1/attachments", data=b"no boundary here", headers=headers)).status == 400


async def test_the_same_files_under_the_same_key_are_one_upload_though_the_boundary_differs(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    first = await upload(ann, hostile.photograph(), key="k1")
    second = await upload(ann, hostile.photograph(), key="k1")
    assert second.body == first.body
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (await upload(ann, hostile.photograph(320, 200), key="k1")).code == "idempotency_key_reused"


async def test_an_upload_is_its_owner_s_until_it_belongs_to_a_case(api: Api) -> None:
    ann, bo, foreign = [await api.somebody(g) for g in (a("officer"), a("dispatcher"), a("dispatcher", SOUTH))]
    attachment = (await upload(ann, hostile.photograph())).body["id"]
    path = f"/api/v1/attachments/{attachment}"
    assert (await bo.get(path)).status == 404
    case_id = await a_case(api, seen_by=NORTH)
    await attach(api, ann, [UUID(attachment)], case_id)
    async with api.http.get(api.url + path, headers=bo.headers) as answer:
        assert answer.status == 200
    for who in (foreign, api.nobody):
        assert (await who.get(path)).status == (401 if who is api.nobody else 404)


async def a_case(api: Api, seen_by: str) -> UUID:
    case_id = new_id()
    async with transaction(api.pool) as (conn, now):
        await conn.execute(
            """
            INSERT INTO cases (id, version, state, source, edition, category, duty_line, severity, description, pool,
                               reported_by, occurred_at, reported_at, updated_at, seen_by, head)
            VALUES ($1, 1, 'reported', 'test', '2013', '0101', 'sanitation', 'normal', '', 'locate',
                    'user:nobody', $2, $2, $2, ARRAY[$3], $4)
            """,
            case_id, now, seen_by, bytes(32),
        )  # fmt: skip
    return case_id


async def attach(api: Api, client: Client, ids: list[UUID], case_id: UUID, purpose: str = "after") -> None:
    caller = f"user:{client.user_id}"
    keys = scope_keys(Caller(id=caller, grants=(a("officer"),)))
    async with transaction(api.pool, keys) as (conn, _):
        await attachments.attach(conn, ids, case_id, None, purpose, caller)


async def test_only_one_s_own_loose_uploads_become_evidence(api: Api) -> None:
    ann, bo = await api.somebody(a("officer")), await api.somebody(a("officer"))
    mine, also, hers = [UUID((await upload(c, hostile.photograph())).body["id"]) for c in (ann, ann, bo)]
    case_id, other = await a_case(api, NORTH), await a_case(api, NORTH)
    with pytest.raises(Unknown) as refused:
        await attach(api, ann, [mine, hers], case_id)
    assert refused.value.facts["given"] == [str(hers)]
    async with transaction(api.pool) as (conn, _):
        assert await attachments.of_case(conn, case_id) == []
    await attach(api, ann, [mine, mine], case_id, "report")
    await attach(api, ann, [mine, also], case_id, "after")  # of this case already: it keeps its purpose
    with pytest.raises(Unknown):
        await attach(api, ann, [mine], other)
    async with transaction(api.pool) as (conn, _):
        assert {row.id: row.purpose for row in await attachments.of_case(conn, case_id)} == {
            mine: "report", also: "after",
        }  # fmt: skip


async def test_the_queries_ask_for_the_owner_by_themselves_too(api: Api) -> None:
    ann, bo = await api.somebody(a("officer")), await api.somebody(a("officer"))
    hers = UUID((await upload(bo, hostile.photograph())).body["id"])
    case_id = await a_case(api, NORTH)
    async with transaction(api.pool) as (conn, _):  # as the service: row-level security shows all
        assert await attachments.seen(conn, hers, [f"user:{ann.user_id}"]) is None
        with pytest.raises(Unknown):
            await attachments.attach(conn, [hers], case_id, None, "after", f"user:{ann.user_id}")


async def test_row_security_hides_a_picture_from_a_query_that_forgot_to_filter(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    await upload(ann, hostile.photograph())
    for keys, seen in (([f"user:{ann.user_id}"], 1), ([SOUTH], 0), ([], 0)):
        async with transaction(api.pool, keys) as (conn, _):
            assert await conn.fetchval("SELECT count(*) FROM attachments") == seen


async def test_who_uploads_without_end_is_asked_to_use_them_first(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await api.somebody(a("officer"))
    async with transaction(api.pool) as (conn, now):
        await conn.execute(
            """
            INSERT INTO attachments (id, sha256, original, media_type, size_bytes, uploaded_by, uploaded_at)
            SELECT gen_random_uuid(), decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), 'image/jpeg',
                   1, $1, $2 FROM generate_series(1, 500)
            """,
            f"user:{ann.user_id}", now,
        )  # fmt: skip
    assert (await upload(ann, hostile.photograph())).code == "too_many_tries"
