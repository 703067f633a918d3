"""Files by their content: a directory in which each file is named by the SHA-256 of its bytes.

Writing the same content twice keeps one file; a name never changes its content. A file is there whole
or not at all, also after a power cut: written aside, flushed, and renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import IO, Final

from gridsvc.errors import Unavailable

PICTURE: Final = ".jpg"
THUMB: Final = ".thumb.jpg"  # of the picture whose digest it bears


class FileStore:
    """One such directory. Every method blocks on the disk: call them from a thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._aside = directory / "incoming"

    def incoming(self) -> IO[bytes]:
        """A nameless file for an upload, gone when it is closed or this process dies."""
        self._aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self._aside)

    def keep(self, content: bytes, *beside: tuple[str, bytes]) -> bytes:
        """Keep a picture, and what belongs to it as (suffix, content); return the picture's digest.

        What belongs to it is written first, so that a picture that is there has all of it.
        """
        digest = hashlib.sha256(content).digest()
        for suffix, part in beside:
            self._write(self._path(digest, suffix), part)
        self._write(self._path(digest, PICTURE), content)
        return digest

    def read(self, digest: bytes, suffix: str = PICTURE) -> bytes:
        """The bytes kept under `digest`. Raises Unavailable when this disk does not have them."""
        try:
            return self._path(digest, suffix).read_bytes()
        except FileNotFoundError as missing:
            raise Unavailable("the file is not on this disk; an operator must look", file=digest.hex()) from missing

    def _path(self, digest: bytes, suffix: str) -> Path:
        name = digest.hex()
        return self._directory / name[:2] / name[2:4] / (name + suffix)

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        self._aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        new_above = [folder for folder in (path.parent, path.parent.parent) if not folder.exists()]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=self._aside)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(aside)
            raise
        for folder in {path.parent, *(folder.parent for folder in new_above)}:
            _flush_names(folder)


def _flush_names(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
