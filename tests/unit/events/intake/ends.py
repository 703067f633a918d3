"""Where a sample file of real devices ends, in the words of the table in docs/cameras/README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

from events.intake import cloudevents, frigate, gat1400, gb28181, hikvision, onvif
from events.intake.camera_event import CameraEvent, Heartbeat, Parsed

PARSERS: Final[Mapping[str, Callable[[bytes], Iterable[Parsed]]]] = {
    "frigate": frigate.parse,
    "gat1400": gat1400.parse,
    "gb28181": gb28181.parse,
    "hikvision": hikvision.parse,
    "onvif_axis": onvif.parse,
}


def where(path: Path) -> str:
    """Each end of a file's items once, with its number before it where it is more than one."""
    if path.suffix == ".yaml":
        told = [item for case in cases(path) for item in _binary(case)]
    else:
        told = list(PARSERS[path.parent.name](path.read_bytes()))
    ends = Counter(_end(item) for item in told)
    return ", ".join(end if count == 1 else f"{count} × {end}" for end, count in ends.items())


def cases(path: Path) -> list[dict[str, Any]]:
    """The conformance cases of CloudEvents in one file."""
    return [case for case in yaml.safe_load_all(path.read_text(encoding="utf-8")) if case]


def attributes(case: Mapping[str, Any]) -> dict[str, str]:
    """As text, which is how they travel: YAML reads 1.0 as a number and a time as a moment."""
    told = {name: value for name, value in case["ContextAttributes"].items() if name != "Extensions"}
    told |= case["ContextAttributes"].get("Extensions", {})
    return {
        name: value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value).strip()
        for name, value in told.items()
    }


def _binary(case: Mapping[str, Any]) -> Iterable[Parsed]:
    told = attributes(case)
    headers = {f"ce-{name}": value for name, value in told.items()}
    return cloudevents.parse(case["Data"].strip().encode(), told.get("datacontenttype", "application/json"), headers)


def _end(item: Parsed) -> str:
    if isinstance(item, CameraEvent):
        return f"event `{item.kind}`, {item.phase}"
    if isinstance(item, Heartbeat):
        return f"heartbeat, state `{item.state.split(' ')[0]}`" if item.state else "heartbeat"
    return f"refused `{item.code}`"
