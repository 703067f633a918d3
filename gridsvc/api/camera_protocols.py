"""The protocols of `/intake/{protocol}/{token}`: what reads each, how large a message may be, how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from events.intake import cloudevents, dahua, frigate, gat1400, gb28181, hikvision, mapped, onvif, viid
from events.intake.camera_event import Heartbeat, Parsed

Parser = Callable[[bytes, str, Mapping[str, str]], Sequence[Parsed]]
"""Body, content type and headers of one request; one item for each thing that it says, in order."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A message that is committed: what it said, with a refusal in the place of each item that was not kept."""

    items: Sequence[Parsed]
    path: str
    now: datetime  # by the city's clock, in its zone


Answering = Callable[[Done], web.Response]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One way of speaking. `answer` None: as programs are answered, with an outcome for each item.

    `by_item`: the answer has a status for each object, so that what cannot be read needs no error beside it.
    `kept_raw`: what of a message that cannot be read may be kept, of at most so many bytes; all of it where None.
    """

    parse: Parser
    most_bytes: int
    answer: Answering | None = None
    by_item: bool = False
    kept_raw: Callable[[bytes, int], bytes] | None = None


def _of_body(parse: Callable[[bytes, str], Sequence[Parsed]]) -> Parser:
    return lambda body, content_type, _: parse(body, content_type)


def _gat1400(body: bytes, content_type: str, headers: Mapping[str, str]) -> Sequence[Parsed]:
    sender = next((value for name, value in headers.items() if name.lower() == "user-identify"), "")
    return gat1400.parse(body, content_type, sender)


def _answer_dahua(_: Done) -> web.Response:
    return web.Response(text="OK")


def _answer_onvif(_: Done) -> web.Response:
    return web.Response(body=b"", content_type="application/soap+xml")


def _answer_gat1400(done: Done) -> web.Response:
    told, local_time = gat1400.statuses(done.items), f"{done.now:%Y%m%d%H%M%S}"
    if len(done.items) == 1 and isinstance(done.items[0], Heartbeat):
        body = gat1400.answer_one(told[0], done.path, local_time)
    else:
        body = gat1400.answer_list(told, done.path, local_time)
    return web.Response(body=body, content_type="application/VIID+JSON", charset="UTF-8")


PROTOCOLS: Final[Mapping[str, Protocol]] = {
    "cloudevents": Protocol(parse=cloudevents.parse, most_bytes=cloudevents.MOST_BYTES),
    "dahua": Protocol(parse=_of_body(dahua.parse), most_bytes=dahua.MOST_BYTES, answer=_answer_dahua),
    "frigate": Protocol(parse=_of_body(frigate.parse), most_bytes=frigate.MOST_BYTES),
    "gat1400": Protocol(
        parse=_gat1400,
        most_bytes=gat1400.MOST_BYTES,
        answer=_answer_gat1400,
        by_item=True,
        kept_raw=viid.without_people,
    ),
    "gb28181": Protocol(parse=_of_body(gb28181.parse), most_bytes=gb28181.MOST_BYTES),
    "hikvision": Protocol(parse=_of_body(hikvision.parse), most_bytes=hikvision.MOST_BYTES),
    "onvif": Protocol(parse=_of_body(onvif.parse), most_bytes=onvif.MOST_BYTES, answer=_answer_onvif),
}
"""By code of the table `camera_protocols`; `mapped` is read by what the city says: `protocol_of`."""


def protocol_of(name: str, mapping: Mapping[str, Any] | None = None) -> Protocol | None:
    """How messages of a protocol are read, those of `mapped` with this mapping. None: nothing here reads them."""
    if name != mapped.PROTOCOL:
        return PROTOCOLS.get(name)
    if mapping is None:
        return None
    read = mapped.read_mapping(mapping)
    return Protocol(parse=lambda body, kind, _: mapped.parse(body, kind, read), most_bytes=mapped.MOST_BYTES)
