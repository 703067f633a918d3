"""A site as it is outside: an independent MQTT client that publishes with QoS 1 and waits for the broker's word."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 30.0


class Dropped(Exception):
    """The broker let the client in, or not, and ended the line before it had acknowledged everything."""


@dataclass(frozen=True)
class SiteClient:
    """Who publishes where."""

    port: int
    user: str
    password: str
    client_id: str

    def publish(self, messages: Iterable[tuple[str, bytes]], *, listen_to: str | None = None) -> None:
        """Publish to these topics, one after the other, and return when the broker has acknowledged all.

        With `listen_to` it subscribes first, as Frigate does. Raises Dropped.
        """
        answered, lost = threading.Event(), threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.client_id, reconnect_on_failure=False)
        client.username_pw_set(self.user, self.password)
        client.on_connect = lambda _c, _u, _f, why, _p: lost.set() if why.is_failure else answered.set()
        client.on_subscribe = lambda *_: answered.set()
        client.on_disconnect = lambda *_: lost.set()
        client.on_publish = lambda *_: answered.set()
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        try:
            self._await(answered, lost)
            if listen_to is not None:
                client.subscribe(listen_to, qos=1)
                self._await(answered, lost)
            for topic, payload in messages:
                client.publish(topic, payload, qos=1)
                self._await(answered, lost)
        finally:
            client.disconnect()
            client.loop_stop()

    def publish_in_the_end(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """The same, through whatever happens to the broker: what it has not acknowledged is said again."""
        left, pause, deadline = list(messages), threading.Event(), time.monotonic() + PATIENCE_S
        while left:
            try:
                self.publish(self._acknowledged(left))
            except (Dropped, OSError):
                assert time.monotonic() < deadline, f"the broker did not come back for {self.user}"
                pause.wait(0.2)

    @staticmethod
    def _acknowledged(left: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """Each message that is left; it is no more when the next one is asked for."""
        while left:
            yield left[0]
            del left[0]

    def _await(self, answered: threading.Event, lost: threading.Event) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not answered.wait(0.05):
            if lost.is_set():
                raise Dropped(self.user)
            assert time.monotonic() < deadline, f"the broker did not answer {self.user}"
        answered.clear()
