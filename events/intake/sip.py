"""SIP as GB/T 28181 needs it over UDP: read a datagram, write an answer, write a MESSAGE. Pure: no socket, no ids made.

Only what a registrar and a receiver of MESSAGE must know of RFC 3261; no dialogs, no media.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from events.intake.unreadable import Unreadable

MOST_BYTES: Final = 65_507  # of one datagram
MOST_HEADERS: Final = 64
MOST_LINE: Final = 4_000

_REQUEST: Final = re.compile(r"([A-Z]{1,20}) (\S{1,500}) SIP/2\.0")
_RESPONSE: Final = re.compile(r"SIP/2\.0 ([1-6]\d\d) ?(.{0,200})")
_USER: Final = re.compile(r"sips?:([^@;>\s]{1,100})@", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")  # what is echoed in an answer must not begin a line of its own
_SHORT: Final = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
}  # fmt: skip
_ECHOED: Final = ("via", "from", "to", "call-id", "cseq")
_WRITTEN: Final = {"via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}


@dataclass(frozen=True)
class Message:
    """A request (`method`, `uri`) or a response (`status`). Names of headers are long and in lower case."""

    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    method: str = ""
    uri: str = ""
    status: int = 0

    def first(self, name: str) -> str:
        """The first header of this name, "" for none."""
        return next((value for each, value in self.headers if each == name), "")

    @property
    def sender(self) -> str:
        """The user of From: the device's code; "" for none."""
        found = _USER.search(self.first("from"))
        return found[1] if found else ""


def read(datagram: bytes) -> Message:
    """Read one datagram. Raises Unreadable: too_large, not_sip, wrong_length."""
    told = read_head(datagram)
    length = told.first("content-length") or str(len(told.body))
    if not re.fullmatch(r"[0-9]{1,6}", length, re.ASCII) or int(length) > len(told.body):
        raise Unreadable("wrong_length", f"content-length {length[:20]!r} with {len(told.body)} bytes; want what came")
    return replace(told, body=told.body[: int(length)])


def read_head(datagram: bytes) -> Message:
    """The same, whatever length it states: enough to answer what cannot be taken. Raises Unreadable."""
    if len(datagram) > MOST_BYTES:
        raise Unreadable("too_large", f"{len(datagram)} bytes; want at most {MOST_BYTES}")
    head, mark, body = datagram.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not mark:
        raise Unreadable("not_sip", "no empty line after the headers; want a whole message")
    start, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "replace")).split("\r\n")
    if len(lines) > MOST_HEADERS or any(len(line) > MOST_LINE for line in (start, *lines)):
        raise Unreadable("not_sip", f"{len(lines)} headers; want at most {MOST_HEADERS} of {MOST_LINE} letters")
    request, response = _REQUEST.fullmatch(start), _RESPONSE.fullmatch(start)
    if request is None and response is None:
        raise Unreadable("not_sip", "a first line that is none of SIP/2.0; want a request or a response")
    headers = tuple(_header(line) for line in lines)
    told = Message(
        headers,
        body,
        method=request[1] if request else "",
        uri=request[2] if request else "",
        status=int(response[1]) if response else 0,
    )
    missing = [name for name in _ECHOED if not told.first(name)]
    if missing:
        raise Unreadable("not_sip", f"no {', '.join(missing)}; want via, from, to, call-id and cseq")
    return told


def _header(line: str) -> tuple[str, str]:
    name, mark, value = line.partition(":")
    bare = name.strip().lower()
    if not mark or not bare:
        raise Unreadable("not_sip", "a header without a colon; want name: value")
    return _SHORT.get(bare, bare), _CONTROL.sub(" ", value).strip()


def answer(
    request: Message,
    status: int,
    reason: str,
    tag: str,
    peer: tuple[str, int],
    further: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The response to a request: its Via, From, To, Call-ID and CSeq again.

    `tag` is ours, for a To that has none; `peer` is whence the datagram came, told in the first Via (RFC 3581).
    """
    lines = [f"SIP/2.0 {status} {reason}"]
    vias = 0
    for name, value in request.headers:
        if name not in _ECHOED:
            continue
        if name == "via":
            vias += 1
            value = _with_peer(value, peer) if vias == 1 else value
        if name == "to" and ";tag=" not in value.lower():
            value = f"{value};tag={tag}"
        lines.append(f"{_WRITTEN[name]}: {value}")
    lines += [f"{name}: {value}" for name, value in further]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()


def _with_peer(via: str, peer: tuple[str, int]) -> str:
    host, port = peer
    first, comma, others = via.partition(",")
    first = re.sub(r";rport(?:=\d{0,5})?(?=;|$)", f";rport={port}", first.strip(), count=1)
    return f"{first};received={host}{comma}{others}"


@dataclass(frozen=True)
class Leg:
    """From whom to whom, and the ids of one request of ours; all are the caller's to make."""

    ours: str  # our 20-digit code
    theirs: str
    local: tuple[str, int]
    remote: tuple[str, int]
    branch: str
    tag: str
    call_id: str
    cseq: int = 1


def message(leg: Leg, media_type: str, body: bytes) -> bytes:
    """A MESSAGE (RFC 3428) of ours, such as the answer to an alarm."""
    (local, local_port), (remote, remote_port) = leg.local, leg.remote
    lines = [
        f"MESSAGE sip:{leg.theirs}@{remote}:{remote_port} SIP/2.0",
        f"Via: SIP/2.0/UDP {local}:{local_port};rport;branch=z9hG4bK{leg.branch}",
        f"From: <sip:{leg.ours}@{local}:{local_port}>;tag={leg.tag}",
        f"To: <sip:{leg.theirs}@{remote}:{remote_port}>",
        f"Call-ID: {leg.call_id}",
        f"CSeq: {leg.cseq} MESSAGE",
        "Max-Forwards: 70",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
