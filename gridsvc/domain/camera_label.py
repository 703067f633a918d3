"""What a device's word means: the map from label, zone and target to a category, and the row of it that counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from events.storm import Mode
from gridsvc.domain.roster import Fault, decoded

ANY: Final = "*"
"""In a row of the map: whatever it is."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """One row of the map. `camera` None: every camera of `protocol`. `kind`, `zone` and `target` may be ANY.

    `id` is the order in which rows were written. `category` is of `edition`; None only where the mode is off.
    """

    id: int
    camera: str | None
    protocol: str
    kind: str
    zone: str
    target: str
    edition: str
    category: str | None
    mode: Mode


@dataclass(frozen=True, kw_only=True)
class Said:
    """What decides about an event: who says it, and the device's own words for it."""

    camera: str
    protocol: str
    kind: str
    zone: str | None = None
    target: str | None = None


def find_label(labels: Iterable[Label], said: Said, edition: str) -> Label | None:
    """The row that counts for an event in the class system `edition`; None: nobody has said what the word means.

    The most exact row: one of the very camera before one of its protocol, then the one that names more of kind, zone
    and target, then the one of a protocol before that of all. Of rows that are as exact the one written first.
    """
    fitting = [label for label in labels if label.edition == edition and _fits(label, said)]
    return min(fitting, key=lambda label: (*(-part for part in exactness(label)), label.id), default=None)


def exactness(label: Label) -> tuple[int, int, int]:
    """How much a row says: of a camera, how many words, of a protocol. More is more exact, from the left."""
    words = sum(word != ANY for word in (label.kind, label.zone, label.target))
    return int(label.camera is not None), words, int(label.protocol != ANY)


def _fits(label: Label, said: Said) -> bool:
    return (
        label.camera in (None, said.camera)
        and label.protocol in (ANY, said.protocol)
        and label.kind in (ANY, said.kind.lower())
        and label.zone in (ANY, (said.zone or "").lower())
        and label.target in (ANY, (said.target or "").lower())
    )


# -- as a table ------------------------------------------------------------------------------------

COLUMNS: Final = ("camera", "protocol", "kind", "zone", "target", "edition", "category", "mode")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the map as somebody writes it; `category` "" where the mode is off."""

    row: int
    camera: str | None
    protocol: str
    kind: str
    zone: str
    target: str
    edition: str
    category: str
    mode: Mode


@dataclass(frozen=True, kw_only=True)
class KnownWords:
    """What a row may name."""

    cameras: frozenset[str]
    protocols: frozenset[str]
    categories: frozenset[tuple[str, str]]
    default_edition: str | None


def read_row(cells: Mapping[str, str], row: int, file: str, known: KnownWords) -> Row | Fault:
    """One row of the map: blanks are `*`, the default edition, and mode review. What is wrong comes back as a fault."""

    def fault(field: str, given: str, wanted: str) -> Fault:
        return Fault(file=file, row=row, field=field, given=repr(given[:80]), wanted=wanted)

    words = {name: (cells.get(name) or ANY).strip().lower() for name in ("kind", "zone", "target")}
    for name, word in words.items():
        if len(word) > 128 or not word.isprintable():
            return fault(name, word, "up to 128 printable characters, or *")
    camera, protocol = (cells.get("camera") or ANY).strip(), (cells.get("protocol") or ANY).strip().lower()
    if camera != ANY and camera not in known.cameras:
        return fault("camera", camera, "the code of a camera, or *")
    if camera != ANY and protocol != ANY:
        return fault("protocol", protocol, "* where a camera is named: it has its own")
    if protocol != ANY and protocol not in known.protocols:
        return fault("protocol", protocol, f"* or one of {', '.join(sorted(known.protocols))}")
    mode = (cells.get("mode") or Mode.REVIEW).strip().lower()
    if mode not in list(Mode):
        return fault("mode", mode, f"one of {', '.join(Mode)}")
    edition = (cells.get("edition") or known.default_edition or "").strip()
    category = (cells.get("category") or "").strip()
    if ":" in category:
        edition, _, category = category.partition(":")
    if not edition:
        return fault("edition", edition, "the code of an edition; no edition is the default")
    if (category or mode != Mode.OFF) and (edition, category) not in known.categories:
        return fault("category", f"{edition}:{category}", "a category of that edition")
    return Row(
        row=row, camera=None if camera == ANY else camera, protocol=protocol, **words, edition=edition,
        category=category, mode=Mode(mode),
    )  # fmt: skip


def read_table(file: str, content: bytes, known: KnownWords) -> tuple[list[Row], list[Fault]]:
    """The rows of a comma-separated map, and what is wrong with it. The header is row 1."""
    text = decoded(content)
    try:
        lines = list(csv.reader(io.StringIO(text or "", newline=""), strict=True))
    except csv.Error as error:
        return [], [_whole(file, f"text that is no CSV ({error})", "comma-separated values")]
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    if text is None or "kind" not in header or set(header) - set(COLUMNS):
        wanted = f"columns of {', '.join(COLUMNS)}, kind at least"
        return [], [_whole(file, f"a header of {', '.join(header)!r}", wanted)]
    rows: dict[tuple[str | None, ...], Row] = {}
    faults: list[Fault] = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        read = read_row(dict(zip(header, line, strict=False)), number, file, known)
        if isinstance(read, Fault):
            faults.append(read)
            continue
        key = (read.camera, read.protocol, read.kind, read.zone, read.target, read.edition)
        if key in rows:
            wanted = f"each word once; row {rows[key].row} says what it means"
            faults.append(Fault(file=file, row=number, field="kind", given=repr(read.kind), wanted=wanted))
        rows.setdefault(key, read)
    return list(rows.values()), faults


def table_of(labels: Iterable[Label]) -> str:
    """The map as the CSV that read_table takes, in the order of writing."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in labels:
        writer.writerow(
            (each.camera or ANY, each.protocol, each.kind, each.zone, each.target, each.edition, each.category or "",
             each.mode)
        )  # fmt: skip
    return out.getvalue()


def _whole(file: str, given: str, wanted: str) -> Fault:
    return Fault(file=file, row=None, field=None, given=given, wanted=wanted)
