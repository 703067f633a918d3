"""The web pages: every word in both languages, nothing inline, every module reached, nothing from elsewhere."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from geo.defects import Kind
from gridsvc.actions.ask_somebody import NOBODY
from gridsvc.api.problems import STATUSES
from gridsvc.api.routes import ROUTES
from gridsvc.api.shelf import FOLDERS, TYPES, read_shelf
from gridsvc.domain.access import Role
from gridsvc.domain.case import MOVES
from gridsvc.domain.case_state import Clock, Move, Pool, State
from gridsvc.errors import BadSignature
from tests.house.source import ROOT, kept_files

WEB = ROOT / "gridsvc/web"
LANGUAGES = ("zh-CN", "en")
PAGES = ("centre/index.html", "centre/wall.html", "officer/index.html")
WORKERS = ("officer/sw.js",)
LATER = r'(?<!typeof )\bimport\("([^"]+)"\)'  # what is loaded when it is wanted
OURS = [path for path in kept_files() if path.is_relative_to(WEB)]
MODULES = [path for path in OURS if path.suffix == ".js"]


def words(language: str, folder: str = "shared") -> dict[str, str]:
    """Every key with its words, as they are written, one on a line."""
    text = (WEB / f"{folder}/words/{language}.js").read_text(encoding="utf-8")
    found = re.findall(r'^  "([^"]+)": ("(?:[^"\\]|\\.)*"),$', text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^  \S", text, re.MULTILINE)), "a line of the words is written otherwise"
    return {key: str(json.loads(said)) for key, said in found}


@pytest.mark.parametrize("folder", ["shared", "officer"])
def test_both_languages_have_the_same_keys_and_say_the_same_things_in_them(folder: str) -> None:
    chinese, english = (words(language, folder) for language in LANGUAGES)
    assert list(chinese) == list(english)
    for key, said in chinese.items():
        assert sorted(re.findall(r"\{\w+\}", said)) == sorted(re.findall(r"\{\w+\}", english[key])), key
        assert said.strip() != "", key
        assert english[key].strip() != "", key


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_the_service_names_by_a_code_has_words(language: str) -> None:
    known = words(language)
    for family, codes in {"state": State, "pool": Pool, "clock": Clock, "move": Move, "role": Role}.items():
        assert {f"{family}.{code}" for code in codes} - known.keys() == set()
    offered = {f"does.{rule.move}" for rule in MOVES.values() if rule.over_http}
    assert offered - known.keys() == set(), "a move does not say what it will do"
    fields = {name for rule in MOVES.values() if rule.over_http for name in (*rule.needs, *rule.takes)} - {"attributes"}
    assert {f"field.{name}" for name in fields} - known.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_refused_is_said_in_the_persons_words(language: str) -> None:
    known = words(language)
    met = {kind.code for kind in STATUSES if not issubclass(kind, BadSignature)}  # no page signs what it sends
    of_browsers = {"playback", "unreachable", "unreadable", "internal", "method_not_allowed"}
    assert {f"refused.{code}" for code in met | of_browsers} - known.keys() == set()
    python = [path.read_text(encoding="utf-8") for path in kept_files() if path.parent.parent == ROOT / "gridsvc"]
    guards = {guard.__name__ for rule in MOVES.values() if rule.over_http for guard in rule.guards}
    guards |= {found for text in python for found in re.findall(r'\bguard="(\w+)"', text)}
    assert {f"guard.{guard}" for guard in guards | {NOBODY}} - known.keys() == set()
    assert {f"defect.{kind}" for kind in Kind} - known.keys() == set()


def test_what_administrators_are_refused_has_a_reason_with_words() -> None:
    """Stories that the commands share with pages: each refusal says its reason, and each reason has words."""
    reasons: set[str] = set()
    for name in [*re.findall(r"from gridsvc\.actions\.(\w+) import", _pages_that_set_up()), "grid_drafts"]:
        tree = ast.parse((ROOT / f"gridsvc/actions/{name}.py").read_text(encoding="utf-8"))
        for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call)):
            if ast.unparse(call.func).rpartition(".")[2] not in {"SetupError", "RulesRefused"}:
                continue
            said = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg == "reason"}
            assert said.keys() == {"reason"}, f"{name}.py:{call.lineno} refuses without a reason"
            reasons.add(said["reason"])
    assert len(reasons) > 15
    for language in LANGUAGES:
        assert {f"setup.{reason}" for reason in reasons | {"has_defects"}} - words(language).keys() == set()


def _pages_that_set_up() -> str:
    """The text of the routes that hear what the commands refuse."""
    names = ("grid_sets", "category_editions", "calendar_editions", "routing_rules")
    return "\n".join((ROOT / f"gridsvc/api/{name}.py").read_text(encoding="utf-8") for name in names)


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    known = words("en")
    source = "\n".join(path.read_text(encoding="utf-8") for path in MODULES if path.parent.name != "words")
    asked = set(re.findall(r'\bt\("([\w.]+)"', source))
    assert asked - known.keys() == set()
    families = set(re.findall(r'\b(?:word|phrase)\("(\w+)"', source))
    families |= set(re.findall(r"\bt\(`([\w.]+?)\.?\$\{", source))
    unused = [
        key
        for key in known
        if f'"{key}"' not in source and not any(key.startswith(f"{family}.") for family in families)
    ]
    assert unused == []


def test_every_word_of_the_officers_app_is_used_and_every_used_one_is_there() -> None:
    known = words("en", "officer")
    source = "\n".join(path.read_text(encoding="utf-8") for path in MODULES if path.parent.name == "officer")
    assert set(re.findall(r'\bsay\("([\w.]+)"', source)) - known.keys() == set()
    families = set(re.findall(r'\btold\("(\w+)"', source))
    unused = [key for key in known if f'"{key}"' not in source and key.partition(".")[0] not in families]
    assert unused == []


def test_no_page_holds_a_script_or_a_style_of_its_own() -> None:
    for page in PAGES:
        text = (WEB / page).read_text(encoding="utf-8")
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", text) == [], page


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in OURS:
        if path.suffix in {".js", ".css", ".html", ".svg"}:
            text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert re.findall(r"https?://[^\s\"'`)]+|eval\(|new Function", text) == [], path.name


def _imported(path: Path) -> set[Path]:
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'^(?:import|export)(?:[^;]*?from)? "([^"]+)";', text, re.MULTILINE)
    found += re.findall(LATER, text)
    return {(path.parent / name).resolve() for name in found}


def test_every_module_is_reached_from_a_page_and_what_is_imported_is_there() -> None:
    reached: set[Path] = set()
    wanted = {
        WEB / name
        for page in PAGES
        for name in re.findall(r'src="/static/\{build\}/([^"]+)"', (WEB / page).read_text(encoding="utf-8"))
    } | {WEB / name for name in WORKERS}
    while wanted:
        path = wanted.pop()
        assert path.exists(), f"{path} is imported and is not there; run make install"
        if path not in reached and path.suffix == ".js":
            wanted |= _imported(path)
        reached.add(path)
    # What travels is written down for the type checker alone.
    assert {path for path in MODULES if path not in reached} == {WEB / "shared/types.js"}
    assert {path.parent.name for path in reached if path.suffix == ".mjs"} == {"vendor"}


def test_the_officers_app_keeps_every_file_that_it_is_made_of_and_no_more() -> None:
    shelf = read_shelf()
    kept = set(shelf.needed_by("officer"))
    reached: set[Path] = set()
    wanted = {WEB / "officer/main.js", *(WEB / name for name in WORKERS)}
    while wanted:
        path = wanted.pop()
        reached.add(path)
        if path.suffix == ".js":
            wanted |= _imported(path) - reached
    assert {path.relative_to(WEB).as_posix() for path in reached} - kept == set()
    page = (WEB / "officer/index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'/static/\{build\}/([^"]+)', page)) - kept == set()
    manifest = json.loads((WEB / "officer/manifest.webmanifest").read_text(encoding="utf-8"))
    assert {f"officer/{icon['src']}" for icon in manifest["icons"]} - kept == set()
    assert {name for name in kept if name.endswith((".woff2", ".html", ".txt")) or "uplot" in name} == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_every_module_that_it_begins_with_and_none_that_it_may_never_want(name: str) -> None:
    shelf = read_shelf()
    named = re.findall(rf'<link rel="modulepreload" href="/static/{shelf.build}/([^"]+)">', shelf.page(name))
    assert len(named) == len(set(named))
    for module in named:
        if module.endswith(".js"):
            path = WEB / module
            later = {(path.parent / each).resolve() for each in re.findall(LATER, path.read_text(encoding="utf-8"))}
            ours = {each.relative_to(WEB).as_posix() for each in _imported(path) - later}
            assert ours - set(named) == set(), module
    later_or_by_few = ("terra-draw", "worker", *(["maplibre"] if name.startswith("officer/") else []))
    assert [each for each in named if any(word in each for word in later_or_by_few)] == []
    assert f'<script type="module" src="/static/{shelf.build}/{named[0]}">' in shelf.page(name)


def test_every_sign_that_the_officers_pages_draw_is_kept_for_a_phone_without_letters() -> None:
    kept = re.search(r'const SIGNS = "([^"]+)"', (WEB / "officer/letters.js").read_text(encoding="utf-8"))
    assert kept is not None
    lines = [line for path in sorted((WEB / "officer").glob("*.js")) for line in path.read_text("utf-8").splitlines()]
    code = "".join(line for line in lines if not line.strip().startswith(("//", "/*", "*")))
    assert set(re.findall(r"[^\x00-\x7f\u4e00-\u9fff]", code)) - set(kept[1]) == set()


def test_what_is_copied_imports_nothing_by_a_bare_name() -> None:
    for path in sorted((WEB / "vendor").glob("*.mjs")):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"(?:^|[;}\s])(?:import|export)\b[^;\"']*?\bfrom\s*[\"']([^.\"'][^\"']*)[\"']", text) == [], (
            path.name
        )


def test_every_file_of_the_pages_is_served_and_no_other() -> None:
    shelf = read_shelf()
    assert shelf.whole, "run make install"
    of_ours = {path.relative_to(WEB).as_posix() for path in OURS if path.parent != WEB}
    assert of_ours == {name for name in shelf.sheets if not name.startswith("vendor/")}
    assert all(Path(name).suffix in TYPES and name.split("/")[0] in FOLDERS for name in shelf.sheets)


def test_the_lock_of_the_pages_names_no_address_and_every_package_is_pinned() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = {**package["dependencies"], **package["devDependencies"]}
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


@pytest.mark.parametrize(("readme", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh-CN")])
def test_the_tour_of_the_readme_names_what_stands_on_the_screen(readme: str, language: str) -> None:
    steps = re.findall(r"^\d\. .*(?:\n   .*)*", (ROOT / readme).read_text(encoding="utf-8"), re.MULTILINE)
    named = [said for step in steps for said in re.findall(r"\*\*([^*]+)\*\*", step)[1:]]  # the first is its title
    assert len(named) >= 4
    assert set(named) - set(words(language).values()) == set()
    routes = {route.path for route in ROUTES}
    assert {path for step in steps for path in re.findall(r"`(/[\w/]*)`", step)} <= routes
