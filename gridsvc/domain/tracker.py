"""What stock trackers send: the OsmAnd form and the JSON of newer Traccar clients, read as one fix.

The protocol has no datum field: its coordinates are the receiver's, WGS-84 by definition. Source: the
protocol page of the Traccar project (OsmAnd), as its server reads it. Speed, bearing, altitude and battery
are sent too and not kept yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gridsvc.domain.position import HDOP_M, Claim
from gridsvc.errors import BadRequest

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_BELOW: Final = 2**31 - 1  # of two meanings of a number the protocol's own rule: below it seconds, else ms


@dataclass(frozen=True, kw_only=True)
class TrackerFix:
    """One fix and the secret id of the device that sent it."""

    device: str
    claim: Claim


def read_form(given: Mapping[str, str], now: datetime) -> TrackerFix:
    """Read the query or form parameters of the OsmAnd protocol; without a timestamp the fix is of `now`.

    Unknown parameters are passed over, as the protocol wants. Raises BadRequest naming the parameter.
    """
    device = given.get("id") or given.get("deviceid")
    if not device:
        raise BadRequest("id is missing; want the device's secret id", field="id", wanted="the device's id")
    if given.get("valid", "true").lower() not in {"true", "1"}:
        raise BadRequest("valid says that this is no fix", field="valid", given=given["valid"], wanted="a valid fix")
    lat_text, lon_text = given.get("lat"), given.get("lon")
    if lat_text is None and lon_text is None and "," in given.get("location", ""):
        lat_text, lon_text = given["location"].split(",", 1)
    accuracy_m = _number("accuracy", given["accuracy"]) if given.get("accuracy") else None
    if accuracy_m is None and given.get("hdop"):
        accuracy_m = _number("hdop", given["hdop"]) * HDOP_M
    claim = Claim(
        lon=_number("lon", lon_text),
        lat=_number("lat", lat_text),
        datum="wgs84",
        accuracy_m=accuracy_m,
        taken_at=now if not given.get("timestamp") else read_moment(given["timestamp"]),
    )
    return TrackerFix(device=device, claim=claim)


def _number(name: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise BadRequest(f"{name} is no number", field=name, given=(text or "")[:40], wanted="a number") from None


def read_moment(text: str) -> datetime:
    """A timestamp of the protocol: seconds, milliseconds, or a date with time; without a zone it is UTC.

    Raises BadRequest for anything else, and for a moment that no calendar holds.
    """
    try:
        if text.removeprefix("-").isdigit():
            number = int(text)
            return _EPOCH + (timedelta(seconds=number) if number < _SECONDS_BELOW else timedelta(milliseconds=number))
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            "timestamp is no moment", field="timestamp", given=text[:40],
            wanted="seconds or milliseconds since 1970, or 2026-11-23T10:00:00Z",
        ) from None  # fmt: skip
