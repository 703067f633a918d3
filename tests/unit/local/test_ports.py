"""Ports are chosen once, kept, and given up only when somebody else listens there."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridsvc.errors import CannotStart
from gridsvc.local.ports import Ports, is_free, settle


@pytest.fixture
def taken() -> Iterator[int]:
    """A loopback port on which somebody listens."""
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        taker.listen()
        yield int(taker.getsockname()[1])


def test_the_second_start_has_the_ports_of_the_first(tmp_path: Path) -> None:
    said: list[str] = []
    first = settle(tmp_path / "ports.json", said.append)
    assert settle(tmp_path / "ports.json", said.append) == first
    assert said == []


def test_no_two_listeners_share_a_port(tmp_path: Path) -> None:
    ports = settle(tmp_path / "ports.json", print)
    assert len({getattr(ports, name) for name in Ports.names()}) == len(Ports.names())


def test_a_port_that_somebody_took_is_replaced_said_and_remembered(tmp_path: Path, taken: int) -> None:
    file, said = tmp_path / "ports.json", list[str]()
    before = settle(file, said.append)
    file.write_text(json.dumps({**json.loads(file.read_text()), "amqp": taken}))
    after = settle(file, said.append)
    assert after.amqp not in {taken, before.mqtt, before.postgres}
    assert said == [f"port {taken} (amqp) is taken by another program; from now on it is {after.amqp}"]
    assert settle(file, said.append) == after


def test_the_port_of_a_server_that_is_not_started_is_left_alone(tmp_path: Path, taken: int) -> None:
    file, said = tmp_path / "ports.json", list[str]()
    settle(file, said.append)
    file.write_text(json.dumps({**json.loads(file.read_text()), "management": taken}))
    assert settle(file, said.append, needed=["web", "postgres"]).management == taken
    assert said == []


def test_a_web_port_that_was_asked_for_is_taken_as_it_is_or_refused(tmp_path: Path, taken: int) -> None:
    file = tmp_path / "ports.json"
    usual = settle(file, print).web
    with pytest.raises(CannotStart, match=f"port {taken} "):
        settle(file, print, web=taken)
    assert settle(file, print).web == usual


def test_a_listener_on_all_addresses_takes_the_port_too() -> None:
    with socket.socket() as taker:
        taker.bind(("0.0.0.0", 0))  # noqa: S104 - that is what is tried here
        taker.listen()
        assert not is_free(taker.getsockname()[1])


def test_a_spoilt_file_is_named_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    file.write_text("{")
    with pytest.raises(CannotStart, match="is not JSON any more"):
        settle(file, print)
    assert file.read_text() == "{"
