"""Files by their content: a directory, or a bucket, in which each file is named by the SHA-256 of its bytes.

Writing the same content twice keeps one file; a name never changes its content. A file is there whole
or not at all, also after a power cut: on a disk it is written aside, flushed, and renamed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Protocol
from uuid import UUID

from gridsvc.errors import Unavailable

PICTURE: Final = ".jpg"
THUMB: Final = ".thumb.jpg"  # of the picture whose digest it bears

CAMERAS: Final = "cameras"
"""The directory below that of the photographs in which pictures of cameras lie: these go after their time."""

ORIGINALS: Final = "originals"
"""The directory below that of the photographs in which what was sent lies, sealed: it goes after its time."""

SEALED: Final = ".sealed"  # an original; it bears the digest of what was sent


class Shelf(Protocol):
    """Where files lie under names such as `ab/cd/abcd….jpg`. Every method blocks."""

    def write(self, name: str, content: bytes) -> None:
        """Keep `content` whole or not at all; a name that is there already keeps what it has."""

    def read(self, name: str) -> bytes | None:
        """What lies under the name; None: nothing."""

    def remove(self, name: str) -> None:
        """Take it away; twice is as once."""

    def has(self, name: str) -> bool:
        """Whether something lies under the name."""

    def names(self) -> Iterator[str]:
        """Every name, in order."""


class FileStore:
    """One such place. Every method blocks on the disk or the net: call them from a thread."""

    def __init__(self, directory: Path, shelf: Shelf | None = None) -> None:
        """In `directory`, or on `shelf`: then `directory` holds no more than uploads on their way."""
        self._aside = directory / "incoming"
        self._shelf: Shelf = shelf or DiskShelf(directory)

    def incoming(self) -> IO[bytes]:
        """A nameless file for an upload, gone when it is closed or this process dies."""
        self._aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self._aside)

    def keep(self, content: bytes, *beside: tuple[str, bytes], suffix: str = PICTURE) -> bytes:
        """Keep a file, and what belongs to it as (suffix, content); return the file's digest.

        What belongs to it is written first, so that a picture that is there has all of it.
        """
        digest = hashlib.sha256(content).digest()
        for other, part in beside:
            self.put(digest, other, part)
        self.put(digest, suffix, content)
        return digest

    def put(self, digest: bytes, suffix: str, content: bytes) -> None:
        """Keep what belongs to `digest` and is named otherwise than by its own."""
        self._shelf.write(_name(digest, suffix), content)

    def read(self, digest: bytes, suffix: str = PICTURE) -> bytes:
        """The bytes kept under `digest`. Raises Unavailable when this store does not have them."""
        content = self._shelf.read(_name(digest, suffix))
        if content is None:
            raise Unavailable("the file is not in this store; an operator must look", file=digest.hex())
        return content

    def remove(self, digest: bytes, suffixes: tuple[str, ...] = (PICTURE, THUMB)) -> None:
        """Take away what is kept under `digest` with these suffixes, in their order; twice is as once."""
        for suffix in suffixes:
            self._shelf.remove(_name(digest, suffix))

    def holds(self, digest: bytes, suffixes: tuple[str, ...] = (PICTURE, THUMB)) -> bool:
        """Whether all of them are there: a picture and its thumbnail."""
        return all(self._shelf.has(_name(digest, suffix)) for suffix in suffixes)

    def holds_any(self, digest: bytes, suffixes: Sequence[str]) -> bool:
        """Whether a file of the digest is there under one of these suffixes."""
        return any(self._shelf.has(_name(digest, suffix)) for suffix in suffixes)

    def holds_some(self, digest: bytes) -> bool:
        """Whether a picture or its thumbnail is there."""
        return any(self._shelf.has(_name(digest, suffix)) for suffix in (PICTURE, THUMB))

    def digests(self) -> Iterator[bytes]:
        """What there are files of, each once, in order; uploads that are on their way are none."""
        last = ""
        for name in self._shelf.names():
            stem = name.rpartition("/")[2].partition(".")[0]
            if stem != last:
                last = stem
                yield bytes.fromhex(stem)


def _name(digest: bytes, suffix: str) -> str:
    name = digest.hex()
    return f"{name[:2]}/{name[2:4]}/{name}{suffix}"


class DiskShelf:
    """Files in folders of a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._aside = directory / "incoming"

    def read(self, name: str) -> bytes | None:
        """What lies under the name; None: nothing."""
        try:
            return (self._directory / name).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Take it away; twice is as once."""
        (self._directory / name).unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """Whether something lies under the name."""
        return (self._directory / name).exists()

    def names(self) -> Iterator[str]:
        """Every name, in order."""
        for folder in sorted(self._directory.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                yield str(path.relative_to(self._directory))

    def write(self, name: str, content: bytes) -> None:
        """Keep `content`, flushed to the disk; a name that is there already keeps what it has."""
        path = self._directory / name
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


class PartFiles:
    """Uploads on their way, below the directory of the photographs: one file each, under its id.

    Web processes of one machine share them. Every method blocks.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "parts"

    def hold(self, upload: UUID) -> IO[bytes] | None:
        """The file of an upload, held until it is closed or this process dies; None: another request holds it."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / str(upload)
        new = not path.exists()
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if new:
            _flush_names(self._directory)
        return file

    def remove(self, upload: UUID) -> None:
        """Take the file of an upload away; twice is as once."""
        (self._directory / str(upload)).unlink(missing_ok=True)

    def uploads(self) -> list[UUID]:
        """Of which uploads there are files."""
        return [UUID(path.name) for path in sorted(self._directory.glob("*-*-*-*-*"))]


def write_at(file: IO[bytes], offset: int, content: bytes) -> None:
    """Put all of `content` into the file at `offset`."""
    view = memoryview(content)
    while view:
        written = os.pwrite(file.fileno(), view, offset)
        view, offset = view[written:], offset + written


def flushed(file: IO[bytes]) -> int:
    """Bring what was written to the disk; the size of the file."""
    os.fsync(file.fileno())
    return os.fstat(file.fileno()).st_size


def digest_of(file: IO[bytes]) -> bytes:
    """The SHA-256 of the whole file."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(1024 * 1024):
        digest.update(chunk)
    return digest.digest()


def _flush_names(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
