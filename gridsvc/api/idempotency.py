"""A write happens once, however often it is sent: the key, the effect and the answer share one commit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
from aiohttp import web

from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.wire import CANONICAL
from gridsvc.db import Conn
from gridsvc.errors import BadRequest, KeyRequired, KeyReused
from gridsvc.store import idempotency_keys
from gridsvc.store.idempotency_keys import Answered, Claim, Conflict, Stored

_KEY: Final = re.compile(r"^[\x21-\x7e]{1,200}$")


@dataclass(frozen=True)
class Answer:
    """What a write answers with: a struct (or None for no body), its status, and headers such as ETag."""

    value: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def claim_of(request: web.Request, body: bytes | None = None) -> Claim:
    """What makes this write the same as another: caller, key, method, path and body.

    `body` is what stands for a body that is no JSON (the digest of an upload's bytes); else the one
    that wire.read_body has read. Raises KeyRequired without an Idempotency-Key, BadRequest for one
    that is not 1 to 200 visible ASCII characters.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        raise KeyRequired("a write needs an Idempotency-Key of the client's making; send a fresh UUID")
    if not _KEY.match(key):
        raise BadRequest(
            "Idempotency-Key: want 1 to 200 visible ASCII characters",
            field="Idempotency-Key", given=key[:80], wanted="1 to 200 visible ASCII characters",
        )  # fmt: skip
    said = request.get(CANONICAL, b"") if body is None else body
    digest = hashlib.sha256(f"{request.method} {request.path_qs}\n".encode() + said).digest()
    return Claim(caller=caller_of(request).id, key=key, fingerprint=digest)


async def write(
    request: web.Request,
    work: Callable[[Conn, datetime], Awaitable[Answer]],
    body: bytes | None = None,
) -> web.Response:
    """Run `work` once, in one transaction under the caller's scope, and answer; a repeat gets the first's answer.

    Two at once: the second waits for the first's commit. A refusal rolls everything back, the key
    too, so that the same request may be sent again when it has become possible.
    Raises KeyReused when the key stood for another request.
    """
    claim = claim_of(request, body)
    async with scoped(request) as (conn, now):
        outcome = await idempotency_keys.once(conn, claim, now)
        if isinstance(outcome, Conflict):
            raise key_reused(claim)
        if isinstance(outcome, Stored):
            return replayed(outcome)
        answer = await work(conn, now)
        kept = kept_answer(claim, answer)
        await idempotency_keys.remember_many(conn, [kept])
    return first_time(kept)


def key_reused(claim: Claim) -> KeyReused:
    """The refusal of a key that stands for another request."""
    return KeyReused("this Idempotency-Key was used with another body or path; a new request needs a new key")


def kept_answer(claim: Claim, answer: Answer) -> Answered:
    """`answer` in the form in which it is kept and sent."""
    body = msgspec.json.encode(answer.value).decode()
    return Answered(caller=claim.caller, key=claim.key, status=answer.status, body=body, headers=answer.headers)


def first_time(kept: Answered) -> web.Response:
    """The answer of a write that has just been committed."""
    return _response(kept.status, kept.body, kept.headers)


def replayed(stored: Stored) -> web.Response:
    """The same answer again, marked `Idempotent-Replayed: true`."""
    return _response(stored.status, stored.body, {**stored.headers, "Idempotent-Replayed": "true"})


def _response(status: int, body: str, headers: Mapping[str, str]) -> web.Response:
    if body == "null":
        return web.Response(status=status, headers=headers)
    return web.Response(body=body.encode(), status=status, headers=headers, content_type="application/json")
