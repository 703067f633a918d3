"""Announcement <-> bytes: CloudEvents 1.0, structured, as JSON, each type with its version."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from events.catalog import CATALOG, Announcement, CaseNews

MEDIA_TYPE: Final = "application/cloudevents+json"
SOURCE: Final = "gridsvc"

_TYPE: Final = re.compile(r"(?P<name>[a-z_]+(?:\.[a-z_]+)+)\.v(?P<version>[1-9][0-9]{0,3})")
_ENVELOPE: Final = frozenset(field.name for field in fields(Announcement))  # these travel outside of `data`


class Unreadable(ValueError):
    """Bytes that are no announcement of ours; the message names what is wrong with them."""


class _Letter(msgspec.Struct, kw_only=True):
    """What CloudEvents 1.0 asks of a structured event; attributes that we do not use are passed over."""

    specversion: str
    id: UUID
    source: str
    type: str
    time: datetime
    data: msgspec.Raw


def encode(announcement: Announcement) -> str:
    """The text that goes into the outbox and over the broker. `time` is RFC 3339, `subject` the case's id.

    Raises ValueError for an announcement whose moment has no zone: a reader could not tell when it was.
    """
    if announcement.at.tzinfo is None:
        raise ValueError(f"{announcement.TYPE} at {announcement.at.isoformat()} has no zone; want an aware moment")
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": announcement.event_id,
        "source": SOURCE,
        "type": versioned_type(type(announcement)),
        "time": announcement.at.astimezone(UTC),  # an offset with seconds is not RFC 3339
        "datacontenttype": "application/json",
    }
    if isinstance(announcement, CaseNews):
        envelope["subject"] = announcement.case_id
    envelope["data"] = {
        field.name: getattr(announcement, field.name)
        for field in fields(announcement)
        if field.name not in _ENVELOPE
    }
    return msgspec.json.encode(envelope).decode()


def decode(body: bytes | str) -> Announcement:
    """The announcement that `encode` wrote.

    Fields beyond those we know are passed over, so that an older reader survives a newer writer of
    the same version. Raises Unreadable for anything else: no JSON, no CloudEvent, a type or version
    that this program does not know, a field that is missing or of another kind.
    """
    try:
        letter = msgspec.json.decode(body, type=_Letter)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"no CloudEvent in JSON: {error}") from error
    if letter.specversion != "1.0":
        raise Unreadable(f"specversion is {letter.specversion!r}; want '1.0'")
    kind = _kind_of(letter.type)
    if letter.time.tzinfo is None:
        raise Unreadable(f"time is {letter.time.isoformat()}, without a zone; want RFC 3339 with an offset")
    try:
        data = msgspec.json.decode(letter.data, type=dict[str, Any])
        return msgspec.convert(data | {"event_id": str(letter.id), "at": letter.time.isoformat()}, kind)
    except msgspec.DecodeError as error:
        raise Unreadable(f"{letter.type}: {error}") from error


def versioned_type(kind: type[Announcement]) -> str:
    """The CloudEvents type of a class: its routing key and its version, `case.filed.v1`."""
    return f"{kind.TYPE}.v{kind.VERSION}"


def _kind_of(written: str) -> type[Announcement]:
    match = _TYPE.fullmatch(written)
    kind = None if match is None else CATALOG.get(match["name"])
    if match is None or kind is None:
        raise Unreadable(f"type is {written!r}; want one of {len(CATALOG)} known types, such as 'case.filed.v1'")
    if int(match["version"]) != kind.VERSION:
        raise Unreadable(f"type is {written!r}; this program reads {versioned_type(kind)!r}")
    return kind
