"""Mappings over HTTP: a draft changes, what is published never does, and a trial writes nothing."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import Api, a

MAPPINGS = "/api/v1/camera-mappings"
DOCUMENT: dict[str, Any] = {"rules": {"kind": "k", "lon": "x", "lat": "y", "datum": {"constant": "wgs84"}}}


async def test_a_draft_is_changed_until_it_is_published_and_never_again(api: Api) -> None:
    admin, auditor = await api.somebody(a(Role.ADMIN)), await api.somebody(a(Role.AUDITOR))
    made = await admin.post(MAPPINGS, {"name": "smoke", "document": DOCUMENT})
    assert (made.status, made.body["version"], made.body["published_at"]) == (201, 1, None)
    second = await admin.post(MAPPINGS, {"name": "smoke", "document": DOCUMENT})
    assert (second.status, second.code, second.body["reason"]) == (422, "mapping_refused", "has_a_draft")
    better = {"rules": {"kind": "kind"}}
    changed = await admin.ask("PUT", f"{MAPPINGS}/smoke/1", json={"document": better})
    assert changed.body["document"] == better
    published = await admin.post(f"{MAPPINGS}/smoke/1/publish", {})
    assert published.body["published_by"] == f"user:{admin.user_id}"
    for late in (
        await admin.ask("PUT", f"{MAPPINGS}/smoke/1", json={"document": DOCUMENT}),
        await admin.post(f"{MAPPINGS}/smoke/1/publish", {}),
    ):
        assert (late.status, late.body["reason"]) == (422, "published")
    with pytest.raises(asyncpg.RaiseError, match="never changes"):
        async with transaction(api.pool, SERVICE) as (conn, _):
            await conn.execute("UPDATE camera_mappings SET document = '{}'")
    assert (await admin.post(MAPPINGS, {"name": "smoke", "document": DOCUMENT})).body["version"] == 2

    listed = await auditor.get(f"{MAPPINGS}?name=smoke&limit=1")
    rest = await auditor.get(f"{MAPPINGS}?cursor={listed.body['next']}")
    both = [*listed.body["items"], *rest.body["items"]]
    assert [(each["version"], each["published_at"] is None) for each in both] == [(1, False), (2, True)]
    assert (await auditor.get(f"{MAPPINGS}/smoke/2")).body["document"] == DOCUMENT
    for missing in ("smoke/3", "smoke/x", "fire/1"):
        assert (await auditor.get(f"{MAPPINGS}/{missing}")).status == 404
    assert (await auditor.post(MAPPINGS, {"name": "x", "document": DOCUMENT})).status == 403


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"name": "Smoke Cloud", "document": DOCUMENT}, "bad_name"),
        ({"name": "smoke", "document": {"rules": {"time": "t"}}}, "bad_mapping"),
        ({"name": "smoke", "document": {"rules": {"kind": "k", "lon": "x", "lat": "y"}}}, "bad_mapping"),
    ],
)
async def test_a_mapping_that_cannot_be_used_is_not_kept(api: Api, said: dict[str, Any], reason: str) -> None:
    refused = await (await api.somebody(a(Role.ADMIN))).post(MAPPINGS, said)
    assert (refused.status, refused.code, refused.body["reason"]) == (422, "mapping_refused", reason)


async def test_a_trial_says_what_would_be_read_where_and_what_is_missing_and_writes_nothing(api: Api) -> None:
    admin = await api.somebody(a(Role.ADMIN))
    sample = [{"k": "smoke", "x": 103.805, "y": 36.055}, {"k": "smoke", "x": 104.5, "y": 36.055}, {"x": 1}]
    document = {**DOCUMENT, "items": ""}
    tried = await admin.post(f"{MAPPINGS}/try", {"sample": sample, "document": document})
    assert (tried.status, tried.body["proposed"]) == (200, False)
    inside, outside, refused = tried.body["items"]
    assert (inside["read"]["kind"], inside["cell"]) == ("smoke", "620102001001001")
    assert inside["read"]["place"] == {"lon": 103.805, "lat": 36.055, "datum": "wgs84"}
    assert [each.split(":")[0] for each in inside["missing"]] == ["time", "camera", "picture"]
    assert {"target": "kind", "path": "k", "found": "smoke", "became": "smoke", "problem": ""} in inside["lines"]
    assert (outside["read"]["kind"], outside["cell"]) == ("smoke", None)
    assert (refused["read"], refused["refused"]) == (None, "no_kind")

    proposed = await admin.post(f"{MAPPINGS}/try", {"sample": {"type": "smoke", "lng": 103.805, "lat": 36.055}})
    assert proposed.body["proposed"]
    assert proposed.body["document"] == {"rules": {"kind": "type"}}
    assert "whose degrees" in proposed.body["open"][0]
    placed = await admin.post(
        f"{MAPPINGS}/try", {"sample": '{"type": "smoke", "lng": 103.805, "lat": 36.055}', "datum": "wgs84"}
    )
    assert placed.body["items"][0]["cell"] == "620102001001001"
    for wrong, status in (
        ({"sample": "<xml/>"}, 422), ({"sample": 1, "document": {}}, 422), ({"sample": 1, "name": "fire"}, 404),
        ({"sample": 1, "name": "fire", "document": DOCUMENT}, 400),
    ):  # fmt: skip
        assert (await admin.post(f"{MAPPINGS}/try", wrong)).status == status
    async with transaction(api.pool, SERVICE) as (conn, _):
        for table in ("camera_mappings", "camera_events", "camera_quarantine", "camera_counts", "idempotency_keys"):
            assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608 - names of tests
