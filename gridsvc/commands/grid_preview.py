"""`gridsvc grid preview`: what publishing a draft would do, told in a few lines, and in full as JSON or CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import msgspec

from gridsvc.actions.preview_grid import preview_grid
from gridsvc.api.grid_sets import PreviewOut, told
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import SetupError

_SHOWN: Final = 20  # cases, officers and beats of each list; --json and --csv have all


async def show_preview(pool: ConnPool, name: str, as_json: Path | None, as_csv: Path | None) -> None:
    """Print what publishing `name` would do, and write all of it where that is asked for. Raises SetupError."""
    async with transaction(pool, snapshot=True) as (conn, now):
        preview = told(await preview_grid(conn, name, now), None, None)
    _write(preview, as_json, as_csv)
    print("\n".join(lines_of(preview)))


def _write(preview: PreviewOut, as_json: Path | None, as_csv: Path | None) -> None:
    try:
        if as_json is not None:
            as_json.write_bytes(msgspec.json.format(msgspec.json.encode(preview)))
        if as_csv is not None:
            _write_csv(as_csv, preview)
    except OSError as error:
        raise SetupError(f"{error.filename} cannot be written: {error.strerror}") from error


def lines_of(preview: PreviewOut) -> list[str]:
    """The preview for whoever reads it on a screen: sums, then the first of each list."""
    sums = preview.divisions
    cells = ", ".join(f"{each.kind} {each.cells} ({each.area_m2 / 1e6:.2f} km²)" for each in preview.cells)
    keeps = ", ".join(f"{why} {number}" for why, number in preview.officers_keep.items()) or "none"
    counted = [
        f"{preview.grid_set} against {preview.against}, at {preview.at.isoformat()}; nothing was changed",
        f"cells     {cells}",
        f"cases     {sum(each.cases for each in sums)} open; other cell {sum(each.other_cell for each in sums)}, "
        f"other beat {sum(each.other_beat for each in sums)}, other division "
        f"{sum(each.other_division for each in sums)}, other calendar {sum(each.other_calendar for each in sums)}",
        f"owners    {sum(each.rerouted for each in sums)} go back to routing; departments keep "
        f"{preview.departments_keep}; officers keep in another beat: {keeps}",
    ]
    rerouted = [
        f"  {each.number or each.id}: {each.officer} ({each.beat[0]}) -> {each.officer_after or 'nobody is free'} "
        f"({each.beat[1]})"
        for each in preview.cases
        if each.keeps is None
    ]
    loads = [
        f"  {each.officer}: {each.before} -> {each.after}"
        + (f" ({each.change_percent:+d} %)" if each.change_percent is not None else "")
        for each in sorted(preview.loads, key=lambda each: (-abs(each.after - each.before), each.officer))
    ]
    lost = [f"  {each.number or each.id}: {each.cell}" for each in preview.lost]
    beats = [f"  {each.duty_line} {each.beat}" for each in preview.beats_without_officer]
    grants = [f"  {each.username}: {each.role} in {each.division}" for each in preview.grants_without_division]
    divisions = [
        f"  {each.division}: {each.cases} open, other cell {each.other_cell}, other beat {each.other_beat}, "
        f"rerouted {each.rerouted}, lost {each.lost}"
        for each in sums
    ]
    for title, found in (
        ("rerouted", rerouted), ("loads", loads), ("lost their cell", lost), ("beats without an officer", beats),
        ("roles in divisions that are gone", grants), ("by division", divisions),
    ):  # fmt: skip
        if found:
            counted += [title, *found[:_SHOWN]]
        if len(found) > _SHOWN:
            counted.append(f"  … {len(found) - _SHOWN} more")
    return counted


_COLUMNS: Final = (
    "number", "id", "state", "duty_line", "category", "cell", "cell_after", "beat", "beat_after", "division",
    "division_after", "calendar", "calendar_after", "officer", "officer_after", "keeps", "lost",
)  # fmt: skip


def _write_csv(file: Path, preview: PreviewOut) -> None:
    """One line for each case that the set touches; UTF-8 with a byte-order mark, so that spreadsheets read it."""
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(_COLUMNS)
        for each in preview.cases:
            writer.writerow(
                [
                    each.number, each.id, each.state, each.duty_line, each.category, *each.cell, *each.beat,
                    *each.division, *each.calendar, each.officer, each.officer_after, each.keeps, "",
                ]
            )  # fmt: skip
        for case in preview.lost:
            writer.writerow([case.number, case.id, "", "", "", case.cell, "", "", "", case.division, *[""] * 6, "yes"])
