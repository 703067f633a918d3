"""What travels over HTTP and how it is read: strict JSON in, plain JSON out, cursors, If-Match."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.api.parts import SETTINGS
from gridsvc.domain.case_state import AtVersion, Expected, WhileAssigned, WhileCalled
from gridsvc.errors import BadRequest, TooLarge, UnacceptedMedia, Unavailable, Unknown, VersionRequired

T = TypeVar("T")

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its offset, RFC 3339; one without an offset is refused."""


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller may send. A field that we do not know is refused, not ignored."""


class Told(msgspec.Struct):
    """What we answer."""


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """One page of a list; `next` is the cursor of the page after it, null on the last."""

    items: list[T]
    next: str | None = None


CANONICAL: Final = web.RequestKey("canonical", bytes)
"""The body as parsed, in one spelling: what an Idempotency-Key is compared by."""

_NAMED: Final = re.compile(r"(?:missing required|unknown) field `([^`]*)`")
_AT: Final = re.compile(r"^(?P<wanted>.*?)(?: - at `(?P<path>(?:key in )?\$[^`]*)`)?$", re.DOTALL)


async def read_body(request: web.Request, type_: type[T]) -> T:
    """The JSON body as `type_`.

    An empty body reads as `{}`. Raises BadRequest naming the field, what was given and what is
    wanted: for anything that is not JSON, for unknown, missing, doubled or mistyped fields, and for
    NUL characters and lone surrogates, which PostgreSQL cannot keep. TooLarge and UnacceptedMedia
    for the body as a whole; Unavailable when it does not arrive in time.
    """
    raw = await read_bytes(request)
    if raw and request.content_type != "application/json":
        raise UnacceptedMedia(
            f"the body is {request.content_type}; want application/json",
            given=request.content_type, wanted="application/json",
        )  # fmt: skip
    try:
        parsed = _parse(raw) if raw else {}
        request[CANONICAL] = _canonical(parsed)
        return _convert(parsed, type_)
    except RecursionError:
        raise BadRequest("the body is nested too deeply", wanted="JSON of a few levels") from None


async def read_bytes(request: web.Request, most: int | None = None) -> bytes:
    """The body as it came, within the limits of size and time; `most` bytes where a route takes more than others."""
    coding = request.headers.get("Content-Encoding", "identity")
    if coding != "identity":
        raise UnacceptedMedia(f"the body is packed as {coding}; want it plain", given=coding, wanted="identity")
    limits = request.app[SETTINGS].http
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await request.read() if most is None else await _read_up_to(request, most)
    except TimeoutError:
        raise Unavailable(f"the body did not arrive within {limits.body_seconds:g} s", retry_after_s=1) from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(
            f"the body is larger than {limits.body_limit} bytes", wanted=f"at most {limits.body_limit} bytes"
        ) from None


async def _read_up_to(request: web.Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > most:
            raise TooLarge(f"the body is larger than {most} bytes", wanted=f"at most {most} bytes")
    return bytes(body)


def read_query(request: web.Request, type_: type[T]) -> T:
    """The query string as `type_`; a name given twice is a list's next item, or refused where there is no list."""
    given: dict[str, Any] = {}
    for name in request.query:
        values = request.query.getall(name)
        given[name] = values[0] if len(values) == 1 else values
    _refuse_unkeepable(given, _canonical(given))
    return _convert(given, type_, strict=False)


def path_id(request: web.Request, name: str = "id") -> UUID:
    """The id in the path; Unknown for anything that is none."""
    text = request.match_info[name]
    try:
        return UUID(text)
    except ValueError:
        raise Unknown(f"{text!r} is no id", given=text) from None


def path_code(request: web.Request, name: str = "code") -> str:
    """The code in the path; Unknown for one that cannot be: too long, or with characters no code has."""
    text = request.match_info[name]
    if len(text) > 64 or not text.isprintable():
        raise Unknown("there is no such code", given=text[:64])
    return text


def reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """`value` as JSON: structs, dataclasses, moments as RFC 3339, ids as text."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, headers=headers, content_type="application/json"
    )


def _parse(raw: bytes) -> Any:
    try:
        return _JSON.decode(raw.decode("utf-8"))
    except _Doubled as doubled:
        raise BadRequest(
            f"the field {doubled.name!r} is given twice; want it once",
            field=doubled.name, given="twice", wanted="once",
        ) from None  # fmt: skip
    except UnicodeDecodeError as broken:
        raise BadRequest(f"the body is not UTF-8 at byte {broken.start}", wanted="UTF-8") from None
    except ValueError as broken:  # JSONDecodeError, NaN, an integer that no column holds
        raise BadRequest(f"the body is not JSON: {broken}", wanted="JSON") from None


class _Doubled(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        raise _Doubled(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return made


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > 18:
        raise ValueError(f"{digits[:20]}… is no integer of at most 18 digits")
    return int(digits)


_JSON: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_integer)


def _canonical(parsed: Any) -> bytes:
    try:
        spelled = msgspec.json.encode(parsed, order="deterministic")
    except UnicodeEncodeError:
        _refuse_unkeepable(parsed, b"\\u0000")
        raise BadRequest("a field's name holds half a character", wanted="whole characters") from None
    _refuse_unkeepable(parsed, spelled)
    return spelled


def _refuse_unkeepable(parsed: Any, spelled: bytes, at: str = "") -> None:
    if b"\\u0000" not in spelled:  # nearly always: nothing to look for
        return
    if isinstance(parsed, str):
        if "\0" in parsed or not _whole(parsed):
            raise BadRequest(
                f"{at or 'the body'} holds a NUL or half a character; want whole characters",
                field=at, wanted="text without U+0000 and lone surrogates",
            )  # fmt: skip
    elif isinstance(parsed, dict):
        for name, value in parsed.items():
            _refuse_unkeepable(name, spelled, f"{at}.{name!a}".lstrip("."))
            _refuse_unkeepable(value, spelled, f"{at}.{name}".lstrip("."))
    elif isinstance(parsed, list):
        for index, value in enumerate(parsed):
            _refuse_unkeepable(value, spelled, f"{at}[{index}]")


def _whole(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _convert(parsed: Any, type_: type[T], *, strict: bool = True) -> T:
    try:
        return msgspec.convert(parsed, type_, strict=strict)
    except msgspec.ValidationError as wrong:
        found = _AT.match(str(wrong))
        wanted, path = (found["wanted"], found["path"] or "$") if found else (str(wrong), "$")
        at = path.removeprefix("key in ").removeprefix("$").lstrip(".")
        # A field that is missing, or is none of ours, stands in the sentence; its object in the path.
        named = _NAMED.search(wanted)
        field = ".".join(part for part in (at, named[1] if named else "") if part)
        raise BadRequest(
            f"{field or 'the body'}: {wanted}", field=field, given=_given(parsed, field), wanted=wanted
        ) from None


def _given(parsed: Any, field: str) -> object:
    """What stands at `field`, cut short; None where nothing does, or it is more than a plain value."""
    for step in re.findall(r"[^.\[\]]+", field):
        if isinstance(parsed, dict):
            parsed = parsed.get(step)
        elif isinstance(parsed, list) and step.isdigit() and int(step) < len(parsed):
            parsed = parsed[int(step)]
        else:
            return None
    if isinstance(parsed, str):
        return parsed[:80]
    return parsed if isinstance(parsed, int | float) else None


def write_cursor(*values: object) -> str:
    """Where the next page begins, as opaque text. It gives no rights: the page's query asks for scope again."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def read_cursor(text: str, type_: type[T]) -> T:
    """The values that write_cursor was given, as the tuple `type_`. Raises BadRequest for any other text."""
    try:
        spelled = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(spelled, type=type_)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise BadRequest(
            "cursor: not one that this list gave out", field="cursor", given=text[:80], wanted="the `next` of a page"
        ) from None


_IF_MATCH: Final = re.compile(r'^"(?:(?P<version>[1-9][0-9]{0,9})|(?P<of>[ac]):(?P<id>[0-9a-fA-F-]{36}))"$')


def if_match(request: web.Request) -> Expected:
    """What the change was decided on: `If-Match: "7"`, `"a:<assignment id>"`, or `"c:<call id>"` of one that rings.

    Raises VersionRequired without the header, BadRequest for any other form: weak tags, lists and
    `*` would let a change through that nobody decided on.
    """
    text = request.headers.get("If-Match")
    if text is None:
        raise VersionRequired('a change of a case needs If-Match: "<version>", "a:<assignment id>" or "c:<call id>"')
    found = _IF_MATCH.match(text.strip())
    if found is not None and found["version"]:
        return AtVersion(int(found["version"]))
    try:
        named = UUID(found["id"] if found else "")
        return WhileCalled(named) if found is not None and found["of"] == "c" else WhileAssigned(named)
    except ValueError:
        raise BadRequest(
            f"If-Match is {text[:80]}; want one version in quotes, a: and an assignment id, or c: and a call id",
            field="If-Match", given=text[:80], wanted='"<version>", "a:<assignment id>" or "c:<call id>"',
        ) from None  # fmt: skip
