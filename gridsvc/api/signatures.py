"""Signed requests of programs: who sends, and whether the signature holds (Standard Webhooks).

A signature that is there is judged, whether it had to be there or not: none is passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from aiohttp import web

from events.intake.signature import WINDOW_S, Verdict, verdict
from gridsvc import errors
from gridsvc.actions.give_secret import secrets_in_force
from gridsvc.api.identity import caller_of_key
from gridsvc.api.parts import as_service
from gridsvc.domain.access import Caller
from gridsvc.errors import BadSignature, NotAllowed, SignatureMissing, SignatureTooNarrow, SignatureWrong
from gridsvc.sealing import Sealer
from gridsvc.store import api_keys
from gridsvc.store.signed_requests import Signed

SEALER: Final = web.AppKey("sealer", Sealer)

_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_WRONG: Final[Mapping[Verdict, tuple[type[BadSignature], str]]] = {
    Verdict.MISSING: (SignatureMissing, f"want {', '.join(_HEADERS)}"),
    Verdict.MALFORMED: (errors.SignatureMalformed, "want an id, seconds since 1970, and signatures as v1,base64"),
    Verdict.TOO_OLD: (errors.SignatureTooOld, f"want a webhook-timestamp at most {WINDOW_S} s from now"),
    Verdict.TOO_NEW: (errors.SignatureTooNew, f"want a webhook-timestamp at most {WINDOW_S} s from now"),
    Verdict.WRONG: (SignatureWrong, "no secret in force makes this signature of these bytes"),
}


async def sender_of(request: web.Request, sender: str, scope: str) -> Caller:
    """Whoever says by the path that he is the program with this key; his signature must prove it yet.

    Raises SignatureWrong for no such key, NotAllowed for one without `scope`.
    """
    try:
        key_id = UUID(sender)
    except ValueError:
        raise SignatureWrong("there is no such sender") from None
    async with as_service(request) as (conn, _):
        key = await api_keys.NAMED.one(conn, key_id)
    if key is None:
        raise SignatureWrong("there is no such sender")
    if scope not in key.scopes:
        raise NotAllowed(f"this key may not send camera events; want the scope {scope}", wanted=scope)
    return caller_of_key(key)


def refuse_unsigned(request: web.Request, *, needed: bool) -> None:
    """Before anything is read: raise SignatureMissing where a signature is needed and there is none of it."""
    if needed and not _is_signed(request):
        raise SignatureMissing(f"this key's camera events must be signed; {_WRONG[Verdict.MISSING][1]}")


async def judged(request: web.Request, caller: Caller, body: bytes) -> Signed | None:
    """The name of a request whose signature holds; None for one that carries none. Raises BadSignature.

    Only structured CloudEvents are covered by it: in binary mode the attributes stand in headers.
    """
    if not _is_signed(request):
        return None
    if not caller.id.startswith("key:"):
        raise SignatureWrong("a session signs nothing; want X-API-Key, or the sender in the path")
    key_id = UUID(caller.id.removeprefix("key:"))
    name, moment, signature = (request.headers.get(header, "") for header in _HEADERS)
    async with as_service(request) as (conn, now):
        secrets = await secrets_in_force(conn, key_id, request.app[SEALER], now)
    told = verdict(secrets, name, moment, signature, body, now)
    if told is not Verdict.GOOD:
        kind, wanted = _WRONG[told]
        facts = {"age_s": int(now.timestamp()) - int(moment)} if told in (Verdict.TOO_OLD, Verdict.TOO_NEW) else {}
        raise kind(f"the signature: {told}; {wanted}", **facts)
    if not request.content_type.startswith("application/cloudevents"):
        raise SignatureTooNarrow(
            f"a signed {request.content_type}: its attributes are in headers, which no signature covers; want"
            " application/cloudevents+json or application/cloudevents-batch+json",
            given=request.content_type,
        )  # fmt: skip
    return Signed(key_id, name, hashlib.sha256(body).digest())


def _is_signed(request: web.Request) -> bool:
    return any(header in request.headers for header in _HEADERS)
