"""Files by their content: a directory in which each file is named by the SHA-256 of its bytes.

Writing the same content twice keeps one file; a name never changes its content. A file is there whole
or not at all, also after a power cut: written aside, flushed, and renamed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from gridsvc.errors import Unavailable

PICTURE: Final = ".jpg"
THUMB: Final = ".thumb.jpg"  # of the picture whose digest it bears

CAMERAS: Final = "cameras"
"""The directory below that of the photographs in which pictures of cameras lie: these go after their time."""


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

    def remove(self, digest: bytes) -> None:
        """Take away all that is kept under `digest`, the thumbnail last; twice is as once."""
        for suffix in (PICTURE, THUMB):
            self._path(digest, suffix).unlink(missing_ok=True)

    def holds(self, digest: bytes) -> bool:
        """Whether a picture and its thumbnail are there."""
        return all(self._path(digest, suffix).exists() for suffix in (PICTURE, THUMB))

    def holds_some(self, digest: bytes) -> bool:
        """Whether a picture or its thumbnail is there."""
        return any(self._path(digest, suffix).exists() for suffix in (PICTURE, THUMB))

    def digests(self) -> Iterator[bytes]:
        """What there are files of, each once, in the order of folders; uploads that are on their way are none."""
        for folder in sorted(self._directory.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
            for name in sorted({path.name.partition(".")[0] for path in folder.iterdir()}):
                yield bytes.fromhex(name)

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
