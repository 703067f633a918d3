"""The files of the web pages as they are served: read once, told apart by their content, packed once.

Every page names its files with the hash of all of them in the path, so a browser keeps each for ever and still
never mixes two versions. Stylesheets, modules and fonts find each other by relative addresses.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

WEB: Final = Path(__file__).parents[1] / "web"
"""Where the pages are: our own modules by application, and what was installed, in `vendor`."""

FOLDERS: Final = ("centre", "officer", "shared", "vendor")

TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What is served, by ending; whatever else lies in the folders is not."""

_PACKED_ALREADY: Final = frozenset({".png", ".woff2"})


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One file: its bytes, what they are, and their hash as a browser is told it."""

    body: bytes
    type: str
    etag: str
    may_be_packed: bool
    _packed: list[bytes] = field(default_factory=list, repr=False)

    def packed(self) -> bytes | None:
        """The same by gzip, made when it is first asked for (60 ms for the map library); None: not worth it."""
        if not self.may_be_packed:
            return None
        if not self._packed:
            self._packed.append(gzip.compress(self.body, 9, mtime=0))
        return self._packed[0]


@dataclass(frozen=True)
class Shelf:
    """Every file by its path below `web`; `build` is the hash of all of them."""

    sheets: Mapping[str, Sheet]
    build: str
    _pages: dict[str, str] = field(default_factory=dict, repr=False)

    def page(self, name: str) -> str:
        """A page with this build's addresses, and with all modules that it begins with named in its head.

        Without that a browser learns of a module when it has read the one that imports it, seven deep.
        """
        if name not in self._pages:
            head = "".join(
                f'<link rel="modulepreload" href="/static/{{build}}/{each}">\n' for each in self.begun_with(name)
            )
            text = self.sheets[name].body.decode().replace("</head>", f"{head}</head>")
            self._pages[name] = text.replace("{build}", self.build)
        return self._pages[name]

    def begun_with(self, page: str) -> list[str]:
        """The modules that a page's script imports before it runs, that script first; not those it fetches later."""
        wanted = re.findall(r'<script type="module" src="/static/\{build\}/([^"]+)"', self.sheets[page].body.decode())
        found: dict[str, None] = {}
        for name in wanted:  # grows meanwhile: the order is that in which a browser would learn of them
            if name not in found and name in self.sheets:
                found[name] = None
                wanted += _named_in(_AT_ONCE, name, self.sheets[name].body.decode())
        return list(found)

    def pack(self) -> None:
        """Pack every file: 0.12 s of CPU, once, so that the first visitor does not wait for it. Twice is harmless."""
        for sheet in self.sheets.values():
            sheet.packed()

    def needed_by(self, folder: str) -> list[str]:
        """Every file that the pages of a folder need when there is no network: its own, and what these import.

        Fonts are not among them: a browser takes of 101 slices the few that a page's characters lie in.
        """
        wanted = [name for name in self.sheets if name.startswith(f"{folder}/") and not name.endswith(".html")]
        wanted += [found for page in self.sheets if page.startswith(f"{folder}/") and page.endswith(".html")
                   for found in re.findall(r"/static/\{build\}/([^\"]+)", self.sheets[page].body.decode())]  # fmt: skip
        needed: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name in needed or name not in self.sheets:
                continue
            needed.add(name)
            if name.endswith((".js", ".mjs")):
                wanted += _named_in(_IMPORTED, name, self.sheets[name].body.decode())
        return sorted(needed)

    @property
    def whole(self) -> bool:
        """Whether the installed packages are there too."""
        return "vendor/maplibre-gl.mjs" in self.sheets


_IMPORTED: Final = re.compile(
    r"""\b(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']|\bnew URL\(["'](\.{1,2}/[^"']+)["']"""
)


_AT_ONCE: Final = re.compile(r"""(?:^|[;}])\s*(?:import|export)\b[^;"'()]*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
"""Imports that stand: neither `import(…)`, which is run when it is wanted, nor a worker, nor a type in a comment."""


def _named_in(imported: re.Pattern[str], name: str, text: str) -> list[str]:
    """The files that a module imports, or starts as a worker, by their paths below `web`."""
    found = (next(filter(None, match.groups())) for match in imported.finditer(text))
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), each)) for each in found]


def read_shelf(web: Path = WEB) -> Shelf:
    """Read all that is served: 6 MB, most of it fonts, in about 20 ms."""
    sheets, whole = {}, hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((web / folder).rglob("*")):
            if path.suffix not in TYPES or not path.is_file():
                continue
            name, body = path.relative_to(web).as_posix(), path.read_bytes()
            digest = hashlib.sha256(body).hexdigest()
            whole.update(f"{name} {digest}\n".encode())
            sheets[name] = Sheet(
                body=body, type=TYPES[path.suffix], etag=f'"{digest[:32]}"',
                may_be_packed=path.suffix not in _PACKED_ALREADY,
            )  # fmt: skip
    return Shelf(sheets, whole.hexdigest()[:16])
