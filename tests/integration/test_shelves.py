"""Files in a bucket that speaks S3: the same store as on a disk, against a server that is one (moto, by HTTP)."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import S3Store

from gridsvc.errors import BadSettings, Unavailable
from gridsvc.files import CAMERAS, PICTURE, THUMB, FileStore
from gridsvc.settings import FileSettings, read_settings
from gridsvc.shelves import files_of
from tests.acceptance.supervised import until

BUCKET = "photographs"


def settings_of(directory: Path, endpoint: str, **more: str) -> FileSettings:
    given = {
        "GRIDSVC_FILES": str(directory), "GRIDSVC_BUCKET_ENDPOINT": endpoint, "GRIDSVC_BUCKET_NAME": BUCKET,
        "GRIDSVC_BUCKET_KEY": "key", "GRIDSVC_BUCKET_SECRET": "secret",
    }  # fmt: skip
    return read_settings({**given, **more}).files


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of its own on a free port, with the bucket made."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: server.poll() is not None or _answers(url), 60, "the bucket's server to answer")
        made = urllib.request.Request(f"{url}/{BUCKET}", method="PUT")  # noqa: S310 - our own address
        urllib.request.urlopen(made, timeout=20).close()  # noqa: S310 - our own address
        yield url
    finally:
        server.kill()
        server.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
    except (urllib.error.URLError, OSError):
        return False
    return True


@pytest.fixture(params=["disk", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "disk":
        return FileStore(tmp_path)
    url = request.getfixturevalue("endpoint")
    _empty(url)
    return files_of(settings_of(tmp_path, url))


def _empty(url: str) -> None:
    bucket = S3Store(
        BUCKET, endpoint=url, region="us-east-1", access_key_id="k", secret_access_key="s",
        client_options={"allow_http": True},
    )  # fmt: skip
    for page in bucket.list():
        for entry in page:
            bucket.delete(entry["path"])


def test_a_store_keeps_a_picture_with_its_thumbnail_under_its_digest_and_lets_it_go(store: FileStore) -> None:
    one, other = store.keep(b"one", (THUMB, b"small")), store.keep(b"other", (THUMB, b"small"))
    assert store.keep(b"one", (THUMB, b"small")) == one  # twice is as once
    assert (store.read(one), store.read(one, THUMB)) == (b"one", b"small")
    assert store.holds(one)
    assert sorted(store.digests()) == sorted([one, other])
    store.remove(one, (PICTURE,))
    assert not store.holds(one)
    assert store.holds_some(one)
    store.remove(one)
    store.remove(one)
    assert not store.holds_some(one)
    with pytest.raises(Unavailable, match="not in this store"):
        store.read(one)
    assert list(store.digests()) == [other]
    store.put(other, ".sealed", b"x" * 7_000_000)  # larger than one part of what others send in parts
    assert len(store.read(other, ".sealed")) == 7_000_000
    with store.incoming() as file:
        file.write(b"on its way")


def test_parts_of_one_bucket_do_not_see_each_other(endpoint: str, tmp_path: Path) -> None:
    _empty(endpoint)
    settings = settings_of(tmp_path, endpoint)
    attachments, cameras = files_of(settings), files_of(settings, CAMERAS)
    mine, theirs = attachments.keep(b"mine", (THUMB, b"m")), cameras.keep(b"theirs", (THUMB, b"t"))
    assert (list(attachments.digests()), list(cameras.digests())) == ([mine], [theirs])
    assert not attachments.holds_some(theirs)


def test_a_bucket_that_is_away_or_is_not_there_is_unavailable_and_not_an_empty_store(
    endpoint: str, tmp_path: Path
) -> None:
    with socket.socket() as free:  # bound and not listening: whoever connects is refused
        free.bind(("127.0.0.1", 0))
        away = files_of(settings_of(tmp_path, f"http://127.0.0.1:{free.getsockname()[1]}"))
        with pytest.raises(Unavailable, match="away"):
            away.holds(bytes(32))
    missing = files_of(settings_of(tmp_path, endpoint, GRIDSVC_BUCKET_NAME="never-made"))
    for ask in (lambda: missing.keep(b"x"), lambda: list(missing.digests())):
        with pytest.raises(Unavailable, match="away"):
            ask()


def test_half_a_bucket_is_no_setting() -> None:
    with pytest.raises(BadSettings, match="GRIDSVC_BUCKET_KEY, GRIDSVC_BUCKET_SECRET not"):
        read_settings({"GRIDSVC_BUCKET_NAME": BUCKET, "GRIDSVC_BUCKET_ENDPOINT": "https://s3.example"})
    with pytest.raises(BadSettings, match="want http:// or https://"):
        read_settings({"GRIDSVC_BUCKET_ENDPOINT": "s3.example"})
