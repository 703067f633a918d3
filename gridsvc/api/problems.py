"""Errors as HTTP answers: one table from error to status, one middleware that writes problem+json."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Final

import asyncpg
import msgspec
from aiohttp import web

from gridsvc import errors
from gridsvc.api.route import Handler
from gridsvc.db import DATABASE_AWAY
from gridsvc.errors import GridError, Unavailable
from gridsvc.ids import new_id

log = logging.getLogger(__name__)

STATUSES: Final[Mapping[type[GridError], int]] = {
    errors.BadRequest: 400,
    errors.KeyRequired: 400,
    errors.NotSignedIn: 401,
    errors.BadSignature: 401,
    errors.SignatureMissing: 401,
    errors.SignatureMalformed: 401,
    errors.SignatureTooOld: 401,
    errors.SignatureTooNew: 401,
    errors.SignatureWrong: 401,
    errors.SignatureTooNarrow: 401,
    errors.WrongPassword: 401,
    errors.NotAllowed: 403,
    errors.ForgeryCheckFailed: 403,
    errors.Unknown: 404,
    errors.VersionConflict: 409,
    errors.WrongMoment: 409,
    errors.CallOver: 409,
    errors.CameraTaken: 409,
    errors.AccountTaken: 409,
    errors.CameraOff: 409,
    errors.NoGateway: 409,
    errors.AbsenceOverlaps: 409,
    errors.AbsenceOver: 409,
    errors.KeyReused: 409,
    errors.WrongOffset: 409,
    errors.ProtocolVersion: 412,
    errors.TooLarge: 413,
    errors.UnacceptedMedia: 415,
    errors.BadLocation: 422,
    errors.OutsideTheGrid: 422,
    errors.UnknownCategory: 422,
    errors.UnknownCondition: 422,
    errors.BadAttribute: 422,
    errors.UnknownComponent: 422,
    errors.FarFromComponent: 422,
    errors.NotAnEmergency: 422,
    errors.GuardFailed: 422,
    errors.CameraMessageRefused: 422,
    errors.RulesRefused: 422,
    errors.MappingRefused: 422,
    errors.UploadBusy: 423,
    errors.VersionRequired: 428,
    errors.TooManyTries: 429,
    errors.ChecksumMismatch: 460,  # tus 1.0.0, checksum
    errors.Unavailable: 503,
    errors.CannotUnseal: 503,
}
"""Every error that a request can end in. SetupError and its kind belong to commands: 500 if one gets here."""

AWAY: Final[tuple[type[BaseException], ...]] = (
    *DATABASE_AWAY,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is being promoted
    TimeoutError,
)
"""What the database being away looks like. A COMMIT that failed so is unknown, not failed: the same
request sent again with its Idempotency-Key finds out."""

RETRY_AFTER_S: Final = 2  # a killed server was back after 2.0 to 3.8 s

STARTED: Final = web.RequestKey("started", bool)
"""Set once an answer's head is on its way: from then on there is no other answer to give."""


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into application/problem+json; cancellation passes through."""
    try:
        return await handler(request)
    except GridError as refused:
        return _of_error(request, refused)
    except web.HTTPException as known:
        if known.status < 400:
            raise
        return _of_http(request, known)
    except Exception as fault:
        if request.get(STARTED):
            raise
        return _of_fault(request, fault)


def is_away(fault: BaseException) -> bool:
    """Whether the same request may succeed in a moment.

    asyncpg counts a value that does not fit its parameter as an InterfaceError too: that one is our own mistake.
    """
    return isinstance(fault, AWAY) and not isinstance(fault, ValueError)


def status_of(kind: type[GridError]) -> int:
    """The status of an error class, or of the nearest class above it that has one."""
    return next((STATUSES[above] for above in kind.__mro__ if above in STATUSES), 500)


def _of_error(request: web.Request, error: GridError) -> web.Response:
    status = status_of(type(error))
    if status == 500:
        return _of_fault(request, error)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="gridsvc"'
    wait = error.facts.get("retry_after_s", RETRY_AFTER_S if status == 503 else None)
    if isinstance(wait, int | float):
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    title = (type(error).__doc__ or "").partition("\n")[0].rstrip(".")
    return _write(status, error.code, title, error.message, request.path, error.facts, headers)


_HTTP_CODES: Final = {404: "unknown", 405: "method_not_allowed", 413: "too_large", 415: "unaccepted_media"}


def _of_http(request: web.Request, known: web.HTTPException) -> web.Response:
    headers = {name: known.headers[name] for name in ("Allow", "Retry-After") if name in known.headers}
    code = _HTTP_CODES.get(known.status, "bad_request" if known.status < 500 else "internal")
    if isinstance(known, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(known.allowed_methods))
        detail = f"{request.method} is not known at {request.path}; want {allowed}"
    elif known.status == 404:
        detail = f"there is nothing at {request.path}"
    else:
        detail = known.reason
    return _write(known.status, code, known.reason, detail, request.path, {}, headers)


def _of_fault(request: web.Request, fault: Exception) -> web.Response:
    incident = new_id()
    ids = {"incident": str(incident), "route": f"{request.method} {_pattern(request)}"}
    if is_away(fault):
        log.warning("a part is away: %s", type(fault).__name__, extra={"action": "database_lost", **ids})
        away = Unavailable("the database is away for the moment; send the same request again")
        return _of_error(request, away)
    log.error("request failed", exc_info=fault, extra={"action": "request_failed", **ids})
    detail = "a fault of ours; it is in the log under this instance"
    return _write(500, "internal", "Internal error", detail, f"urn:uuid:{incident}", {}, {})


def _pattern(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "?" if resource is None else resource.canonical


_OWN: Final = frozenset({"type", "title", "status", "detail", "code", "instance", "retry_after_s"})


def _write(
    status: int, code: str, title: str, detail: str, instance: str,
    facts: Mapping[str, object], headers: Mapping[str, str],
) -> web.Response:  # fmt: skip
    body: dict[str, object] = {
        "type": f"urn:gridsvc:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": instance,
    }
    body.update({name: value for name, value in facts.items() if name not in _OWN})
    if "Retry-After" in headers:
        body["retry_after_s"] = int(headers["Retry-After"])
    return web.Response(
        body=msgspec.json.encode(body, enc_hook=str),
        status=status, headers=headers, content_type="application/problem+json",
    )  # fmt: skip
