"""Spoilt messages from kept ones, the same for the same seed; and what must hold of whatever a parser answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from itertools import chain
from random import Random
from typing import Any, Final

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Parsed, Refused
from events.intake.values import MOST_FIELDS, MOST_PICTURES
from tests.fuzz.corpus import TARGETS

LARGE_EVERY: Final = 400  # one message in so many is grown to about its protocol's limit

_STRANGE: Final = (
    b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x81\x30\x81\x30", b"\xef\xbb\xbf", b"\r\n", b"&amp;", b"&x;",
    b"<!--", b"<![CDATA[", b"]]>", b'<!DOCTYPE a [<!ENTITY x "y">]>', b"<a>", b"</a>", b"{", b"}", b"[", b"]", b'"',
    b"\\", b"\\u0000", b"\\ud800", b"null", b"true", b"1e999", b"-0", b"9" * 400, b"0." + b"3" * 400, b"NaN",
    b"--grid\r\n", b"--grid--", b"Code=", b";data=", b"%00", b"2026-02-30T25:61:61+99:99", b"0000-00-00",
    b"\xe8\x81\x94\xe9\x80\x9a", b":", b",",
)  # fmt: skip
_VALUES: Final = (
    "", " ", "0", "-1", "1", "33", "1e308", "1e999", "nan", "9" * 300, "true", "inactive", "x" * 5_000, "联通", "\x00",
    "\u2028", "2026-02-30T00:00:00Z", "2026-11-20T08:00:60.1234567890+08:00", "2026-11-20 8:0",
    "1969-12-31T23:59:59Z", "20261120", "20261120080000123", "9999-12-31T23:59:59-14:00", "2000-01-01T00:00:00+14:00",
    "00:00:00:00:00:00", "AABBCC001122", "http://u:p@a/b", "http://[/", "https://a.example/x y",
    "javascript:alert(1)", "/media/frigate/../../etc/passwd", "face", "FaceDetection", "new",
    "data:image/png;base64,AAAA", "=", "AAA", "%ff%00", "180.5", "wgs84", "\ud800",
)  # fmt: skip
_OTHER_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**63, 10**60, 1.5, 1e300, -0.0, [], {}, [[]], [None], [1, 2, 3], {"a": {"b": []}},
    ["a", 0.5],
)  # fmt: skip
_NESTS: Final = ((b"<a>", b"</a>"), (b"[", b"]"), (b'{"a":', b"}"), (b'{"after":', b"}"))
_ENCODINGS: Final = ("utf-16", "utf-16-le", "gb18030", "latin-1", "utf-32", "big5")


def spoilt(name: str, seed: int, count: int) -> Iterator[tuple[bytes, str]]:
    """`count` messages for the parser called `name`, each with the type that it comes under."""
    target, random = TARGETS[name], Random(f"{name} {seed}")
    types = sorted({media_type for _, media_type in target.kept})
    for number in range(count):
        body, media_type = random.choice(target.kept)
        if random.random() < 0.5:
            body = _refilled(body, random)
        else:
            for _ in range(random.choice((1, 1, 2, 3, 6))):
                body = _once(body, random, target.kept)
        if number % LARGE_EVERY == LARGE_EVERY - 1:
            body = _grown(body, random, target.most_bytes)
        yield body, media_type if random.random() < 0.9 else random.choice(types)


def _once(body: bytes, random: Random, kept: Sequence[tuple[bytes, str]]) -> bytes:
    start = random.randrange(len(body) + 1)
    end = min(len(body), start + random.choice((1, 2, 8, 40, 200)))
    match random.randrange(10):
        case 0:
            if start == len(body):
                return body
            return body[:start] + bytes([body[start] ^ (1 << random.randrange(8))]) + body[start + 1 :]
        case 1:
            return body[:start]
        case 2:
            return body[:start] + body[end:]
        case 3:
            return body[:start] + body[start:end] * random.choice((2, 3, 50)) + body[end:]
        case 4:
            other = random.choice(kept)[0]
            return body[:start] + other[random.randrange(len(other) + 1) :]
        case 5 | 6:
            return body[:start] + random.choice(_STRANGE) + body[start if random.random() < 0.5 else end :]
        case 7:
            opens, closes = random.choice(_NESTS)
            levels = random.choice((3, 40, 2_000))
            return body[:start] + opens * levels + body[start:end] + closes * levels + body[end:]
        case 8:
            return body.decode("utf-8", "replace").encode(random.choice(_ENCODINGS), "replace")
        case _:
            return body[:start] + random.randbytes(random.choice((1, 4, 60))) + body[end:]


def _refilled(body: bytes, random: Random) -> bytes:
    """The same shape with other values in it: JSON with one to three values changed, or text between two tags."""
    try:
        message = json.loads(body)
    except ValueError:
        for _ in range(random.choice((1, 1, 2, 4))):
            marks = [at for at, byte in enumerate(body) if byte in b'>=;"']
            if marks:
                start = random.choice(marks) + 1
                ends = [at for at in (body.find(mark, start) for mark in (b"<", b";", b'"', b"&")) if at >= 0]
                body = (
                    body[:start]
                    + random.choice(_VALUES).encode("utf-8", "replace")
                    + body[min(ends, default=len(body)) :]
                )
        return body
    for _ in range(random.choice((1, 1, 2, 3))):
        holders = list(_holders(message))
        if holders:
            holder = random.choice(holders)
            place = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            if random.random() < 0.2 and isinstance(holder, dict):
                del holder[place]
            else:
                holder[place] = deepcopy(random.choice((*_VALUES, *_OTHER_VALUES)))
    return json.dumps(message, ensure_ascii=random.random() < 0.5).encode("utf-8", "replace")


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        if value:
            yield value
        for inside in value.values() if isinstance(value, dict) else value:
            yield from _holders(inside)


def _grown(body: bytes, random: Random, most: int) -> bytes:
    """The message with one stretch of it repeated until it is about as large as it may be, or just too large."""
    start = random.randrange(len(body) + 1)
    stretch = body[start : start + random.choice((1, 3, 20, 300))] or b"<a b='c'>"
    times = (most - len(body)) // len(stretch) + random.choice((0, 0, 0, 2))
    return body[:start] + stretch * max(0, times) + body[start:]


@dataclass(frozen=True)
class Run:
    """What a run came to: how many of each answer, and the message that took longest."""

    answers: dict[str, int]
    slowest_ms: float
    slowest: bytes
    slowest_type: str
    over_100_ms: int


def run(name: str, seed: int, count: int) -> Run:
    """Give a parser its largest messages and `count` spoilt ones. Raises where it does, or answers what it must not."""
    answers: dict[str, int] = {}
    slowest_ms, slowest, slowest_type, over = 0.0, b"", "", 0
    parse = TARGETS[name].parse
    for body, media_type in chain(TARGETS[name].large(TARGETS[name].most_bytes), spoilt(name, seed, count)):
        began = time.process_time_ns()
        told = parse(body, media_type)
        took_ms = (time.process_time_ns() - began) / 1e6
        over += took_ms > 100
        if took_ms > slowest_ms:
            slowest_ms, slowest, slowest_type = took_ms, body, media_type
        check(told)
        for item in told:
            kind = item.code if isinstance(item, Refused) else type(item).__name__
            answers[kind] = answers.get(kind, 0) + 1
    return Run(dict(sorted(answers.items(), key=lambda each: -each[1])), slowest_ms, slowest, slowest_type, over)


def check(told: Sequence[Parsed]) -> None:
    """What must hold of every answer of every parser."""
    assert isinstance(told, tuple)
    assert told
    for item in told:
        assert isinstance(item, CameraEvent | Heartbeat | Refused)
        texts = [item.protocol, *(getattr(item.device, each.name) for each in fields(Device))]
        if isinstance(item, CameraEvent):
            assert item.key
            assert item.kind
            assert item.kind == item.kind.lower()
            assert item.at is None or item.at.tzinfo is not None
            assert item.score is None or 0 <= item.score <= 1
            assert item.count >= 1
            assert len(item.fields) <= MOST_FIELDS + 2
            assert len(item.snapshots) <= MOST_PICTURES
            assert all((each.data is None) != (each.url is None) for each in item.snapshots)
            texts += [item.key, item.lane, item.kind, item.local_time, item.zone, item.target, item.severity]
            texts += [*item.fields, *item.fields.values()]
        elif isinstance(item, Heartbeat):
            assert item.at is None or item.at.tzinfo is not None
            texts.append(item.state)
        else:
            assert item.code
            assert item.says
            texts += [item.says, item.item, item.code]
        for each in texts:
            if each is not None:
                assert isinstance(each, str)
                assert len(each) <= 400, each
                assert "\x00" not in each, f"PostgreSQL keeps no such text: {each!r}"
                each.encode("utf-8")
