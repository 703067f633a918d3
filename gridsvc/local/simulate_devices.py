"""What simulated cameras send by themselves, with their tokens and in the words of their makers.

Pure: the same seed and looks give the same messages. They name no moment: the service's counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gridsvc.local.city_plan import dice


@dataclass(frozen=True, repr=False)
class DeviceToken:
    """A camera of the demo city that posts by itself: its way of speaking, and its secret."""

    protocol: str
    camera: str
    secret: str


@dataclass(frozen=True, repr=False)
class Sent:
    """One message on its way to /intake/{protocol}/{token}."""

    token: DeviceToken
    body: bytes
    content_type: str


@dataclass(frozen=True)
class _Seen:
    """What a device has begun to see: its own word, where in the picture, and the device's or our number of it."""

    token: DeviceToken
    kind: str
    zone: str
    name: str


_KINDS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "hikvision": (("fielddetection", "fire_lane"), ("VMD", "1")),
    "dahua": (("LeftDetection", "kerb"), ("ParkingDetection", "fire_lane"), ("VideoMotion", "kerb")),
    "frigate": (("car", "fire_lane"), ("person", "kerb")),
    "onvif": (("parked_bicycles", "kerb"), ("overflowing_bin", "kerb")),
}
"""The words of each maker, and the zones of the picture that it names; the demo city's label map knows the words."""

_ALARM: Final = """<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<channelID>1</channelID><activePostCount>1</activePostCount><eventType>{kind}</eventType>
<eventState>{state}</eventState><eventDescription>{name}</eventDescription>
<DetectionRegionList><DetectionRegionEntry><regionID>{zone}</regionID></DetectionRegionEntry></DetectionRegionList>
</EventNotificationAlert>"""

_NOTICE: Final = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
xmlns:n="http://docs.oasis-open.org/wsn/b-2" xmlns:t="http://www.onvif.org/ver10/schema"><s:Body><n:Notify>
<n:NotificationMessage><n:Topic>tns1:{kind}</n:Topic><n:Message><t:Message UtcTime="{name}"
PropertyOperation="Changed"><t:Source><t:SimpleItem Name="VideoSourceToken" Value="1"/><t:SimpleItem Name="Rule"
Value="{zone}"/></t:Source><t:Data><t:SimpleItem Name="State" Value="{state}"/></t:Data></t:Message></n:Message>
</n:NotificationMessage></n:Notify></s:Body></s:Envelope>"""


def _hikvision(seen: _Seen, ended: bool) -> tuple[str, str]:
    state = "inactive" if ended else "active"
    return _ALARM.format(kind=seen.kind, zone=seen.zone, name=seen.name, state=state), "application/xml"


def _dahua(seen: _Seen, ended: bool) -> tuple[str, str]:
    data = json.dumps({"Name": seen.zone, "EventID": seen.name})
    return f"Code={seen.kind};action={'Stop' if ended else 'Start'};index=0;data={data}", "text/plain"


def _frigate(seen: _Seen, ended: bool) -> tuple[str, str]:
    told = {"id": seen.name, "camera": seen.token.camera, "label": seen.kind, "current_zones": [seen.zone]}
    return json.dumps({"type": "end" if ended else "new", "before": told, "after": told}), "application/json"


def _onvif(seen: _Seen, ended: bool) -> tuple[str, str]:
    state = "false" if ended else "true"
    name = f"{seen.name}-{state}"
    return _NOTICE.format(kind=seen.kind, zone=seen.zone, name=name, state=state), "application/soap+xml"


_SPELLED: Final[Mapping[str, Callable[[_Seen, bool], tuple[str, str]]]] = {
    "hikvision": _hikvision, "dahua": _dahua, "frigate": _frigate, "onvif": _onvif,
}  # fmt: skip


@dataclass
class DeviceWatch:
    """The cameras that post by themselves; each look tells what they send now."""

    seed: int
    run: str
    tokens: Sequence[DeviceToken]
    chance: float  # that a look sees something begin, of each way of speaking
    _looks: int = 0
    _going_on: list[_Seen] = field(default_factory=list)

    def look(self) -> list[Sent]:
        """What went on ends, and something may begin, at the first look everywhere; of each protocol in turn."""
        rng = dice(f"{self.seed}/devices/{self.run}/{self._looks}")
        sent = [_spelled(seen, ended=True) for seen in self._going_on]
        self._going_on = []
        for protocol, kinds in _KINDS.items():
            mine = [token for token in self.tokens if token.protocol == protocol]
            if mine and (self._looks == 0 or rng.random() < self.chance):
                kind, zone = rng.choice(kinds)
                seen = _Seen(rng.choice(mine), kind, zone, f"{self.run}-{self._looks}-{protocol}")
                self._going_on.append(seen)
                sent.append(_spelled(seen, ended=False))
        self._looks += 1
        return sent


def _spelled(seen: _Seen, *, ended: bool) -> Sent:
    body, content_type = _SPELLED[seen.token.protocol](seen, ended)
    return Sent(seen.token, body.encode(), content_type)
