"""Where files lie by the settings: in a directory, or in a bucket that speaks S3."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta

from obstore.exceptions import BaseError
from obstore.store import S3Store

from gridsvc.errors import Unavailable
from gridsvc.files import FileStore
from gridsvc.settings import FileSettings


def files_of(settings: FileSettings, below: str = "") -> FileStore:
    """The store of files, or the part of it below a name (CAMERAS, ORIGINALS)."""
    directory = settings.directory / below if below else settings.directory
    return FileStore(directory, BucketShelf(settings, below) if settings.bucket_name else None)


class BucketShelf:
    """Files as objects of a bucket. Whatever the bucket cannot do just now is Unavailable."""

    def __init__(self, settings: FileSettings, below: str = "") -> None:
        self._below = f"{below}/" if below else ""
        self._bucket = S3Store(
            settings.bucket_name,
            endpoint=settings.bucket_endpoint.rstrip("/"),
            region=settings.bucket_region,
            access_key_id=settings.bucket_key,
            secret_access_key=settings.bucket_secret,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": settings.bucket_endpoint.startswith("http://"),
                "timeout": timedelta(seconds=60), "connect_timeout": timedelta(seconds=5),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        )  # fmt: skip

    def write(self, name: str, content: bytes) -> None:
        """Keep `content`; a name that is there already has the same bytes."""
        with _away_is_unavailable(missing=True):
            self._bucket.put(self._below + name, content, use_multipart=False)

    def read(self, name: str) -> bytes | None:
        """What lies under the name; None: nothing."""
        with _away_is_unavailable():
            try:
                return bytes(self._bucket.get(self._below + name).bytes())
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """Take it away; twice is as once."""
        with _away_is_unavailable(), contextlib.suppress(FileNotFoundError):
            self._bucket.delete(self._below + name)

    def has(self, name: str) -> bool:
        """Whether something lies under the name."""
        with _away_is_unavailable():
            try:
                self._bucket.head(self._below + name)
            except FileNotFoundError:
                return False
            return True

    def names(self) -> Iterator[str]:
        """Every name, in order: a bucket lists by name. What lies below another part's name is not of this one."""
        with _away_is_unavailable(missing=True):
            for page in self._bucket.list(self._below or None):
                for entry in page:
                    name = entry["path"].removeprefix(self._below)
                    if name[2:3] == "/" and name[5:6] == "/":
                        yield name


@contextlib.contextmanager
def _away_is_unavailable(*, missing: bool = False) -> Iterator[None]:
    """`missing`: whoever writes or lists and finds nothing there finds no bucket."""
    try:
        yield
    except (BaseError, OSError) as away:
        if isinstance(away, FileNotFoundError) and not missing:
            raise
        raise Unavailable("the bucket of files is away for the moment", retry_after_s=5) from away
