"""The pages of docs/cameras: what they show is read so, and what they list is all there is."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from events.intake import cloudevents, dahua, frigate, gat1400, gb28181, hikvision, mapped, onvif
from events.intake.camera_event import NOT_EVEN_RAW, CameraEvent, Parsed
from tests.house.source import ROOT, document, parsed
from tests.unit.events.intake import ends

README = document("cameras/README.md")
MADE_BY = {"Unreadable": 0, "_refused": 0, "_not_ours": 1}  # which argument is the code


def test_every_sample_file_ends_where_the_table_says(sample_data: Path) -> None:
    folder = sample_data / "camera"
    table = dict(re.findall(r"^\| `([a-z0-9_]+/[^`]+)` \| (.+) \|$", README, re.MULTILINE))
    real = {str(path.relative_to(folder)): ends.where(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    assert table == real


def test_every_code_of_refusal_is_listed_and_no_other() -> None:
    listed = re.findall(r"^\| `(\w+)` \| ", README.split("## Codes of refusal")[1].split("\n## ")[0], re.MULTILINE)
    made: set[str] = set()
    for path in (ROOT / "events/intake").glob("*.py"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MADE_BY:
                code = node.args[MADE_BY[node.func.id]]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    made.add(code.value)
    assert sorted(listed) == sorted(made)
    assert made >= NOT_EVEN_RAW


def _shown(page: str) -> bytes:
    """What the first curl of a page posts, or its first XML."""
    text = document(f"cameras/{page}.md")
    found = re.search(r" -d '([^']+)'", text) or re.search(r"```xml\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1].strip().encode()


PAGES: dict[str, tuple[Callable[..., Sequence[Parsed]], str, str]] = {
    "frigate": (frigate.parse, "application/json", "car"),
    "hikvision": (hikvision.parse, "application/xml", "linedetection"),
    "onvif": (onvif.parse, "application/soap+xml", "ruleengine/fielddetector/objectsinside"),
    "dahua": (dahua.parse, "text/plain", "crosslinedetection"),
    "gat1400": (gat1400.parse, "application/VIID+JSON", "motorvehicle"),
    "gb28181": (gb28181.parse, "Application/MANSCDP+xml", "intrusion"),
    "cloudevents": (cloudevents.parse, "application/cloudevents+json", "pothole"),
}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_posts_is_an_event(page: str) -> None:
    parse, content_type, kind = PAGES[page]
    (told,) = parse(_shown(page), content_type)
    assert isinstance(told, CameraEvent), told
    assert told.kind == kind


def test_the_mapping_of_the_page_reads_the_sample_of_the_page() -> None:
    text = document("cameras/other-json.md")
    sample, mapping = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    (told,) = mapped.parse(sample.encode(), "application/json", mapped.read_mapping(json.loads(mapping)))
    assert isinstance(told, CameraEvent)
    assert (told.kind, told.device.serial, told.phase) == ("fire", "U-1", "start")
    assert told.spot is not None


def test_every_rule_of_a_mapping_is_on_the_page() -> None:
    text = document("cameras/other-json.md").split("| rule | is |")[1]
    assert set(mapped.TARGETS) <= set(re.findall(r"`(\w+)`", text))
    table = document("cameras/cloudevents.md").split("## Data")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", table, re.MULTILINE))))
    assert named == set(cloudevents.PAYLOAD_FIELDS)


def test_the_largest_messages_are_on_the_page() -> None:
    for module, size in (
        (frigate, "512 KiB"), (hikvision, "16 MiB"), (onvif, "256 KiB"), (dahua, "8 MiB"), (gat1400, "8 MiB"),
        (gb28181, "64 KiB"), (cloudevents, "8 MiB"), (mapped, "8 MiB"),
    ):  # fmt: skip
        number, unit = size.split()
        assert int(number) * {"KiB": 2**10, "MiB": 2**20}[unit] == vars(module)["MOST_BYTES"]
        page = "other-json" if module is mapped else module.__name__.rsplit(".", 1)[-1]
        assert re.search(rf"\[{page}\.md\].*\| {size}", README), page
