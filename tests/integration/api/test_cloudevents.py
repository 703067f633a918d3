"""CloudEvents 1.0 over HTTP, case by case as its texts have them: what is an event, of which camera, and what not."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gridsvc.db import SERVICE, transaction
from tests.integration.api.conftest import Api
from tests.integration.stories.camera_town import put_up

ONE: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
JSON: Final = "application/json"
CORNER: Final = "路口 一"
"""A camera whose code no header can carry as it is."""

EVENT: Final[dict[str, Any]] = {
    "specversion": "1.0", "id": "e1", "source": "/a", "type": "x", "subject": "north", "data": {"kind": "fire"},
}  # fmt: skip
HEADERS: Final = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}
ACCEPTED: Final = ("accepted",)


def said(**changes: Any) -> dict[str, Any]:
    """The event with these changes; None takes a member away."""
    return {name: value for name, value in {**EVENT, **changes}.items() if value is not None}


def bare(**changes: str | None) -> dict[str, str]:
    """The headers of binary mode with these changes; None takes one away."""
    changed = {f"ce-{name}": value for name, value in changes.items()}
    return {name: value for name, value in {**HEADERS, **changed}.items() if value is not None}


@dataclass(frozen=True)
class Case:
    """A request, and what comes of it: an outcome for each event, or the reason for which all of it is refused."""

    name: str
    kind: str | None  # the Content-Type; None: without one
    body: Any
    ends: tuple[str, ...] | str | int
    headers: Mapping[str, str] | None = None
    camera: str = "north"
    sees: str = "fire"


CASES: Final = (
    # structured
    Case("structured", ONE, EVENT, ACCEPTED),
    Case("structured, in capitals with a parameter", "Application/CloudEvents+JSON; charset=UTF-8", EVENT, ACCEPTED),
    Case("structured without data, the kind in the type", ONE, said(data=None, type="cn.grid.camera.fire"), ACCEPTED),
    Case("structured, data null", ONE, said(type="cn.grid.camera.fire") | {"data": None}, ACCEPTED),
    Case("structured, an attribute that is null is absent", ONE, EVENT | {"time": None, "dataschema": None}, ACCEPTED),
    Case("structured, every optional attribute", ONE, said(
        time="2026-11-20T08:00:00.123456+08:00", dataschema="https://a.example/s", datacontenttype="application/json",
    ), ACCEPTED),
    Case("structured, extensions of all types", ONE, said(
        sequence="0001", traceparent="00-0af7-b7ad-01", sampledrate=3, urgent=True, mine="x",
    ), ACCEPTED),
    Case("structured, a member that is no attribute is passed over", ONE, said(Upper="x", with_line="y"), ACCEPTED),
    Case("structured, camera with letters", ONE, said(subject=CORNER), ACCEPTED, camera=CORNER),
    Case("structured, GB 18030 as declared", f"{ONE}; charset=gb18030",
         msgspec.json.encode(said(subject=CORNER)).decode().encode("gb18030"), ACCEPTED, camera=CORNER),
    Case("structured, other letters", f"{ONE}; charset=utf-16", EVENT, "wrong_encoding"),
    Case("structured, no JSON", ONE, b"{", "not_json"),
    Case("structured, nothing", ONE, b"", "not_json"),
    Case("structured, a list", ONE, [EVENT], "bad_item"),
    Case("structured in another format", "application/cloudevents+avro", b"\x00", 415),
    Case("0.3", ONE, said(specversion="0.3"), "wrong_version"),
    Case("a version yet to come", ONE, said(specversion="1.1"), "wrong_version"),
    Case("no version", ONE, said(specversion=None), "wrong_version"),
    Case("a version that is a number", ONE, said(specversion=1.0), "wrong_version"),
    *(Case(f"no {name}", ONE, said(**{name: None}), "missing_attribute") for name in ("id", "source", "type")),
    *(Case(f"a blank {name}", ONE, said(**{name: ""}), "missing_attribute") for name in ("id", "source", "type")),
    Case("a time without offset", ONE, said(time="2026-11-20T08:00:00"), "bad_time"),
    Case("a time that is none", ONE, said(time="2026-02-30T08:00:00Z"), "bad_time"),
    # data in base64
    Case("data_base64", ONE, said(data=None, data_base64=b64encode(b'{"kind":"fire"}').decode()), ACCEPTED),
    Case("data_base64 beside data", ONE, said(data_base64="e30="), "bad_data"),
    Case("data_base64 that is none", ONE, said(data=None, data_base64="e3 0=!"), "bad_data"),
    Case("data_base64 that is no text", ONE, said(data=None, data_base64=7), "bad_data"),
    Case("data_base64 of another type", ONE, said(
        data=None, data_base64=b64encode(b"\x89PNG").decode(), datacontenttype="image/png",
    ), "bad_payload"),
    Case("data that is a text", ONE, said(data="fire"), "bad_payload"),
    # in batches
    Case("batch of none", BATCH, [], ()),
    Case("batch of two", BATCH, [EVENT, said(id="e2", data={"kind": "fire", "zone": "2"})], ("accepted", "accepted")),
    Case("batch with the same event twice", BATCH, [EVENT, EVENT], ("accepted", "duplicate")),
    Case("batch with one id for two things said", BATCH, [EVENT, said(data={"kind": "fire", "zone": "2"})],
         ("accepted", "accepted")),
    Case("batch with one id from two sources", BATCH, [EVENT, said(source="/b")], ("accepted", "accepted")),
    Case("batch in which one cannot be read", BATCH, [said(specversion="0.3"), EVENT, 7],
         ("wrong_version", "accepted", "bad_item")),
    Case("batch that is one event", BATCH, EVENT, "unknown_shape"),
    Case("batch of too many", BATCH, [EVENT] * 501, "too_many_items"),
    # binary
    Case("binary", JSON, {"kind": "fire"}, ACCEPTED, HEADERS),
    Case("binary with a charset", "application/json; charset=utf-8", {"kind": "fire"}, ACCEPTED, HEADERS),
    Case("binary in other letters", "application/json; charset=utf-16", {"kind": "fire"}, "wrong_encoding", HEADERS),
    Case("binary, a kind of JSON of its own", "application/vnd.city+json", {"kind": "fire"}, ACCEPTED, HEADERS),
    Case("binary without data and type of it", None, b"", ACCEPTED, bare(type="cn.grid.camera.fire.new")),
    Case("binary, names in capitals", JSON, {"kind": "fire"}, ACCEPTED,
         {name.upper(): value for name, value in HEADERS.items()}),
    Case("binary, percent-encoded", JSON, {"kind": "fire"}, ACCEPTED,
         bare(subject="%E8%B7%AF%E5%8F%A3%20%E4%B8%80"), camera=CORNER),
    Case("binary, percent-encoded in small letters and quoted", JSON, {"kind": "fire"}, ACCEPTED,
         bare(subject='"%e8%b7%af%e5%8f%a3 %e4%b8%80"'), camera=CORNER),
    Case("binary, decoded once and no more", JSON, {"kind": "fire"}, ("unknown_camera",), bare(subject="n%256Frth")),
    Case("binary, the type of the data is that of the body", JSON, {"kind": "fire"}, ACCEPTED,
         bare(datacontenttype="text/xml")),
    Case("binary, an extension", JSON, {"kind": "fire"}, ACCEPTED, bare(sequence="7", sampledrate="2")),
    Case("binary, a rate that is none", JSON, {"kind": "fire"}, "bad_attribute", bare(sampledrate="often")),
    Case("binary, 0.3", JSON, {"kind": "fire"}, "wrong_version", bare(specversion="0.3")),
    Case("binary without id", JSON, {"kind": "fire"}, "missing_attribute", bare(id=None)),
    Case("binary, data that is no JSON", JSON, b"<x/>", "not_json", HEADERS),
    Case("binary, a picture for data", "image/jpeg", b"\xff\xd8\xff", 415, HEADERS),
    Case("neither mode", JSON, {"kind": "fire"}, "no_cloudevent"),
    # both at once
    Case("structured with headers beside: the body counts", ONE, EVENT, ACCEPTED,
         bare(subject="south", specversion="0.3", id="other")),
    Case("a batch with headers beside: the body counts", BATCH, [EVENT], ACCEPTED, bare(specversion="0.3")),
    Case("binary around a whole event: it is its data", JSON, EVENT, "bad_payload", HEADERS),
)  # fmt: skip


async def test_each_case_of_the_texts_ends_as_they_say(api: Api) -> None:
    program = await api.program("camera-events:write")
    async with transaction(api.pool, SERVICE) as (conn, _):
        for camera in ("north", CORNER):
            await put_up(conn, camera, 103.805, 36.055)
        await conn.execute("UPDATE camera_rules SET burst = 10000")
    wrong: list[tuple[str, object]] = []
    for case in CASES:
        async with transaction(api.pool, SERVICE) as (conn, _):
            await conn.execute("DELETE FROM camera_events")
        headers = {**program.headers, **(case.headers or {})}
        if case.kind is not None:
            headers["Content-Type"] = case.kind
        body = case.body if isinstance(case.body, bytes) else msgspec.json.encode(case.body)
        skipped = {"Content-Type"} if case.kind is None else set()
        url = api.url + "/api/v1/camera-events"
        async with api.http.post(url, data=body, headers=headers, skip_auto_headers=skipped) as answer:
            told = msgspec.json.decode(await answer.read())
            ends: object = answer.status
            if answer.status == 202:
                ends = tuple(each["reason"] or each["outcome"] for each in told["items"])
            elif answer.status == 422:
                ends = told["reason"]
        if ends != case.ends:
            wrong.append((case.name, ends))
        async with transaction(api.pool, SERVICE) as (conn, _):
            rows = [tuple(row) for row in await conn.fetch("SELECT camera, kind FROM camera_events")]
        accepted = case.ends.count("accepted") if isinstance(case.ends, tuple) else 0
        if rows != [(case.camera, case.sees)] * accepted:
            wrong.append((case.name, rows))
    assert wrong == []
