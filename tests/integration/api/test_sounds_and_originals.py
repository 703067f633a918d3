"""Voice notes, originals behind a reason, and photographs used twice: who may hear, open and know what."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from aiohttp import ClientSession

from gridsvc.actions.open_original import OPEN_FOR
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.store import attachment_twins
from tests import hostile, sounds
from tests.conftest import CityClock
from tests.integration.api.conftest import NORTH, SOUTH, Api, a, running, settings_for
from tests.integration.api.test_attachments import a_case, attach, upload
from tests.unit.domain.test_likeness import scene
from workers.attachments import compare_round


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
async def api(database: str, pool: ConnPool, city: None, http: ClientSession, files: Path) -> AsyncIterator[Api]:
    async with running(settings_for(database, GRIDSVC_FILES=str(files), GRIDSVC_SOUND_LIMIT="5000")) as (app, url):
        yield Api(app, http, url, pool)


def originals(files: Path) -> list[bytes]:
    """What lies on the disk of originals."""
    return [path.read_bytes() for path in files.glob("originals/??/??/*")]


async def test_a_voice_note_is_kept_as_it_came_and_never_opened_in_a_tab(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    for content, media_type in sounds.whole().values():
        said = await upload(ann, content)
        assert said.status == 201, said.body
        path = f"/api/v1/attachments/{said.body['id']}"
        async with api.http.get(api.url + path, headers=ann.headers) as answer:
            assert await answer.read() == content
            assert answer.headers["Content-Type"] == media_type
            assert answer.headers["Content-Disposition"].startswith("attachment; ")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            etag = answer.headers["ETag"]
        async with api.http.get(api.url + path, headers={**ann.headers, "If-None-Match": etag}) as answer:
            assert answer.status == 304
        assert (await ann.get(f"{path}/thumb")).status == 404
        facts = (await ann.get(f"{path}/facts")).body
        assert (facts["kind"], facts["width"], facts["sha256"]) == ("sound", None, hashlib.sha256(content).hexdigest())
        assert not facts["original_kept"]


async def test_a_voice_note_that_is_none_or_too_long_is_refused_beside_a_picture_that_is_kept(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    broken, long = sounds.broken()["an MP4 with a picture"], sounds.mp4() + sounds.box(b"free", bytes(6000))
    said = await upload(ann, sounds.wav(), broken, long, hostile.photograph())
    codes = [None if item["problem"] is None else item["problem"]["code"] for item in said.body["items"]]
    assert codes == [None, "unaccepted_media", "too_large", None]
    assert [item["kind"] for item in said.body["items"]] == ["sound", None, None, "picture"]


async def test_an_original_opens_to_one_person_who_says_why_for_a_quarter_of_an_hour(
    api: Api, files: Path, city_clock: CityClock, caplog: pytest.LogCaptureFixture
) -> None:
    ann, judge, dispatcher, foreign = [
        await api.somebody(grant) for grant in (a("officer"), a("supervisor"), a("dispatcher"), a("supervisor", SOUTH))
    ]
    content = hostile.photograph(taken_at="2026:11:23 10:00:00", place=(103.834, 36.061))
    picture = (await upload(ann, content)).body["id"]
    ask = f"/api/v1/attachments/{picture}/original-openings"
    assert (await judge.post(ask, {"reason": "not of a case yet"})).status == 404
    await attach(api, ann, [UUID(picture)], await a_case(api, NORTH))
    assert (await judge.post(ask, {"reason": "   "})).status == 400
    assert (await dispatcher.post(ask, {"reason": "curious"})).status == 403
    elsewhere = await api.somebody(a("dispatcher"), a("supervisor", SOUTH))  # sees the case, judges another district
    for who in (foreign, elsewhere):
        assert (await who.post(ask, {"reason": "curious"})).status == 404
    with caplog.at_level(logging.INFO):
        said = await judge.post(ask, {"reason": "the handler says it was taken elsewhere"})
    assert said.status == 201
    assert "elsewhere" not in caplog.text
    path = f"/api/v1/original-openings/{said.body['id']}"
    async with api.http.get(api.url + path, headers=judge.headers) as answer:
        assert await answer.read() == content
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Cache-Control"] == "no-store"
    for who in (dispatcher, foreign, ann, await api.somebody(a("supervisor"))):
        assert (await who.get(path)).status in (403, 404)
    [sealed] = originals(files)
    assert content[:100] not in sealed  # a copy of the disk alone shows nobody's place
    async with transaction(api.pool, SERVICE) as (conn, _):
        row = await conn.fetchrow("SELECT opened_by, reason FROM original_openings")
        assert row is not None
        assert (row["opened_by"], row["reason"]) == (judge.user_id, "the handler says it was taken elsewhere")
    await city_clock.forward(OPEN_FOR + timedelta(seconds=1))
    again = await api.somebody(a("supervisor"))
    assert (await again.get(path)).status == 404


async def test_a_city_that_keeps_no_originals_has_none(
    database: str, pool: ConnPool, city: None, http: ClientSession, files: Path
) -> None:
    settings = settings_for(database, GRIDSVC_FILES=str(files), GRIDSVC_ORIGINALS="off")
    async with running(settings) as (app, url):
        api = Api(app, http, url, pool)
        said = await upload(ann := await api.somebody(a("officer")), hostile.photograph())
        assert not (await ann.get(f"/api/v1/attachments/{said.body['id']}/facts")).body["original_kept"]
        assert originals(files) == []


async def test_a_case_says_which_photograph_was_used_before_and_where_only_to_who_sees_that_case(api: Api) -> None:
    ann, north, both = [
        await api.somebody(*grants)
        for grants in ([a("officer")], [a("dispatcher")], [a("dispatcher"), a("dispatcher", SOUTH)])
    ]
    contents = []
    for quality in (90, 60):  # the same view, saved again by another program
        out = io.BytesIO()
        scene(1).save(out, "JPEG", quality=quality)
        contents.append(out.getvalue())
    earlier, later = [UUID((await upload(ann, content)).body["id"]) for content in contents]
    there, here = await a_case(api, SOUTH), await a_case(api, NORTH)
    await attach(api, ann, [earlier], there, "after")
    await compare_round(api.pool)
    await attach(api, ann, [later], here, "after")
    await compare_round(api.pool)
    shown = {}
    for name, client in (("north", north), ("both", both)):
        said = await client.get(f"/api/v1/cases/{here}")
        assert said.status == 200, said.body
        [photo] = said.body["photos"]
        [shown[name]] = photo["used_before"]
    assert shown["both"]["case"] == str(there)
    assert shown["both"]["photo"] == str(earlier)
    assert shown["north"] == {**shown["both"], "case": None, "photo": None, "purpose": None}
    async with transaction(api.pool, SERVICE) as (conn, _):  # the query asks by itself: row-level security shows all
        [bare] = await attachment_twins.of_case(conn, here, [NORTH])
        assert (bare.case_id, bare.earlier_id) == (None, None)
    assert shown["both"]["distance"] <= 3
    assert not shown["both"]["same_file"]
