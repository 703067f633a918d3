"""Begin a draft as a copy of another set, and give cells of a draft to another beat: a small change needs no files."""

from __future__ import annotations

from collections.abc import Sequence

from gridsvc.actions.grid_drafts import need_draft, need_duty_line
from gridsvc.db import Conn
from gridsvc.errors import SetupError
from gridsvc.store import grids


async def copy_grid(conn: Conn, name: str, of: str, now: str) -> grids.GridSet:
    """Begin the draft `name` with all that the set `of` holds; the copied set.

    Runs in the caller's transaction. `now` is what its provenance says. Raises SetupError where the name is taken
    or there is no such set.
    """
    await grids.lock(conn)
    known = {each.name: each for each in await grids.every_set(conn)}
    if name in known:
        raise SetupError(f"{name} is there already; want another --set", reason="name_taken", name=name)
    source = known.get(of)
    if source is None:
        wanted = ", ".join(known) or "one that exists; there is none yet"
        raise SetupError(f"given set {of!r}; want one of {wanted}", reason="no_such_set", name=of)
    grid_set_id = await grids.add_set(conn, name, source.cell_scheme)
    await grids.copy_content(conn, source.id, grid_set_id)
    await grids.note_change(conn, grid_set_id, {"copied_from": source.name, "at": now})
    return source


async def give_cells(conn: Conn, name: str, duty_line: str, beat: str, cells: Sequence[str], now: str) -> None:
    """Let `beat` have `cells` of a draft in a duty line, whichever had them. Runs in the caller's transaction.

    Raises SetupError where the set is no draft, or has no such beat or cell.
    """
    await grids.lock(conn)
    draft = await grids.set_named(conn, name)
    if draft is None:
        raise SetupError(f"there is no set {name!r}; grid list names them", reason="no_such_set", name=name)
    need_draft(draft)
    await need_duty_line(conn, duty_line)
    if beat not in await grids.beat_codes(conn, draft.id, duty_line):
        raise SetupError(f"{name} has no beat {beat!r} of {duty_line}", reason="no_such_beat", name=name, given=beat)
    missing = sorted(set(cells) - set(await grids.known_cells(conn, draft.id, cells)))
    if missing or not cells:
        raise SetupError(
            f"{name} has no cells {', '.join(missing)}" if missing else "no cell is named",
            reason="no_such_cells", name=name, given=", ".join(missing) or "-",
        )  # fmt: skip
    await grids.give_cells(conn, draft.id, duty_line, beat, cells)
    told = {"given": sorted(cells), "duty_line": duty_line, "beat": beat, "at": now}
    await grids.note_change(conn, draft.id, told)
