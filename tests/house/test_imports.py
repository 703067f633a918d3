"""Imports point one way: space and news below, decisions on them, then memory, stories, edges, commands."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter

import pytest

import events
import geo
import gridsvc
import workers
from tests.house.source import OURS, ROOT, imported, modules, parsed

FOUNDATION = {
    "gridsvc.errors", "gridsvc.settings", "gridsvc.db", "gridsvc.logs", "gridsvc.ids", "gridsvc.migrate",
    "gridsvc.signing", "gridsvc.sealing", "gridsvc.passwords", "gridsvc.files", "gridsvc.heap", "gridsvc.together",
    "gridsvc.webpush", "gridsvc.outlive",
}  # fmt: skip
SPACE_AND_NEWS = {"geo", "events.catalog"}
DECISIONS = SPACE_AND_NEWS | {"events.storm", "gridsvc.domain", "gridsvc.errors"}
MEMORY = DECISIONS | {"gridsvc.store", "gridsvc.db", "events.codec", "events.intake"}
STORIES = MEMORY - {"events.codec"} | {
    "gridsvc.actions", "gridsvc.ids", "gridsvc.signing", "gridsvc.sealing", "gridsvc.webpush",
}  # fmt: skip
PICTURES = {"gridsvc.picture_desk", "gridsvc.picture_process", "gridsvc.shelves"}
EVERYTHING = set(OURS)

# What each part may import of ours, besides itself. The longest fitting name counts.
MAY_IMPORT: dict[str, set[str]] = {
    "geo": set(),
    "events": {"geo.place"},
    **{part: {"gridsvc.errors"} for part in sorted(FOUNDATION)},
    "gridsvc.errors": set(),
    "gridsvc.shelves": {"gridsvc.errors", "gridsvc.files", "gridsvc.settings"},
    "gridsvc.picture_process": {"gridsvc.domain", "gridsvc.errors"},
    "gridsvc.picture_desk": {"gridsvc.domain", "gridsvc.errors", "gridsvc.picture_process"},
    "gridsvc.domain": DECISIONS,
    "gridsvc.store": MEMORY,
    "gridsvc.actions": STORIES,
    "gridsvc.api": STORIES | FOUNDATION | PICTURES | {"gridsvc.live"},
    "gridsvc.live": STORIES | FOUNDATION,
    "workers": STORIES | FOUNDATION | PICTURES | {"events"},
    "gridsvc.local": EVERYTHING,
    "gridsvc.commands": EVERYTHING,
    "gridsvc.__main__": {"gridsvc.db", "gridsvc.errors", "gridsvc.settings"},
}

STAND_ON_TOP = ("gridsvc.commands", "gridsvc.local", "gridsvc.__main__")

# What takes a third of a second and 65 MB beside what is loaded anyway, and only an import of outlines needs.
HEAVY = ("geopandas", "pandas", "pyogrio")

# What only the import of a calendar needs: days off of the whole world.
HOLIDAYS = ("chinese_calendar", "holidays", "icalendar")


def test_every_module_has_its_place_in_the_table() -> None:
    placeless = [name for name in modules() if name != "gridsvc" and _part(name) is None]
    assert placeless == []


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_one_way(part: str) -> None:
    known = frozenset(modules())
    allowed = MAY_IMPORT[part] | {part}
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        if _part(name) == part
        for other in imported(parsed(path), known)
        if other.split(".")[0] in OURS and not any(_within(other, each) for each in allowed)
    ]
    assert wrong == []


def test_nothing_below_the_commands_knows_the_web_or_the_workers() -> None:
    known = frozenset(modules())
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        if not any(_within(name, each) for each in (*STAND_ON_TOP, "gridsvc.api", "workers"))
        for other in imported(parsed(path), known)
        if _within(other, "gridsvc.api") or _within(other, "workers")
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_ring() -> None:
    known = frozenset(modules())
    graph = {
        name: {other for other in imported(parsed(path), known) if other in known and other != name}
        for name, path in modules().items()
    }
    TopologicalSorter(graph).prepare()


def test_no_import_hides_inside_a_function() -> None:
    """Two import by name: `gridsvc/__main__.py` the command that is chosen, `bench` what is no part of the wheel."""
    hidden = [
        f"{name} line {node.lineno}"
        for name, path in modules().items()
        for node in _inside_functions(parsed(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []
    by_name = {name for name, path in modules().items() if "import_module" in path.read_text(encoding="utf-8")}
    assert by_name == {"gridsvc.__main__", "gridsvc.commands.bench"}


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_running_service_never_loads_what_only_an_import_needs(command: str) -> None:
    loaded = json.loads(
        _fresh_python(f"import json, sys, gridsvc.commands.{command}; print(json.dumps(sorted(sys.modules)))")
    )
    assert f"gridsvc.commands.{command}" in loaded
    assert [name for name in (*HEAVY, *HOLIDAYS) if name in loaded] == []


def test_only_the_reading_of_files_imports_geopandas_and_gdal() -> None:
    importers = {
        name
        for name, path in modules().items()
        for other in imported(parsed(path), frozenset())
        if other.split(".")[0] in HEAVY
    }
    assert importers == {"geo.boundaries", "geo.features"}


def test_only_the_broker_speaks_to_the_broker() -> None:
    importers = {
        name
        for name, path in modules().items()
        for other in imported(parsed(path), frozenset())
        if other.split(".")[0] in {"aio_pika", "aiormq", "pamqp"}
    }
    assert importers == {"events.broker"}


@pytest.mark.parametrize("package", [geo, events, gridsvc, workers])
def test_the_packages_are_ours_and_not_a_strangers_of_the_same_name(package: object) -> None:
    """`events` is also the import name of a published package that others pull in."""
    assert str(getattr(package, "__file__", "")).startswith(str(ROOT))


# --- every module by itself ---------------------------------------------------------------------------

# Forks from an interpreter that knows third parties only, so each child meets our module first and alone.
_ALONE = """
import gc, importlib, os, sys, traceback, warnings
gc.disable()
for name in (
    "asyncpg", "aiohttp.web", "numpy", "shapely", "pyproj", "msgspec", "aio_pika", "PIL.Image", "prometheus_client",
    "cryptography.hazmat.primitives.asymmetric.ed25519", "geopandas", "pyogrio", "uvloop", "argon2", "jwt", "tqdm",
):
    importlib.import_module(name)
assert not [name for name in sys.modules if name.split(".")[0] in ("geo", "events", "gridsvc", "workers")]
failed = 0
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        warnings.simplefilter("error")
        try:
            importlib.import_module(name)
        except BaseException:
            print(f"--- {name}", file=sys.stderr)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    failed += os.waitpid(child, 0)[1] != 0
sys.exit(failed > 0)
"""


def test_every_module_imports_alone_and_without_a_warning() -> None:
    names, at_once = list(modules()), os.cpu_count() or 1
    with ThreadPoolExecutor(at_once) as side_by_side:
        for done in [side_by_side.submit(_fresh_python, _ALONE, *names[n::at_once]) for n in range(at_once)]:
            done.result()


def _fresh_python(script: str, *arguments: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return told.stdout


def _part(module: str) -> str | None:
    fitting = [part for part in MAY_IMPORT if _within(module, part)]
    return max(fitting, key=len, default=None)


def _within(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def _inside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from ast.walk(node)
