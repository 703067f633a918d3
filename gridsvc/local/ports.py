"""The loopback ports of one instance: chosen once, remembered, chosen again when somebody else took one."""

import json
import random
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gridsvc.errors import CannotStart
from gridsvc.local.keep import write_private

LOOPBACK = "127.0.0.1"
WEB = 8080

# Below the range that Linux (32768 up) and macOS (49152 up) lend to outgoing connections:
# a port from that range may be some connection's own end at the next start.
_CHOICE = range(20_000, 30_000)


@dataclass(frozen=True)
class Ports:
    """One loopback port per listener of an instance."""

    web: int
    postgres: int
    amqp: int
    mqtt: int
    distribution: int
    epmd: int
    management: int

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(cls.__dataclass_fields__)


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback address, nor on all addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def settle(
    file: Path, say: Callable[[str], None], *, needed: Iterable[str] | None = None, web: int | None = None
) -> Ports:
    """The instance's ports: those remembered in `file`, others where somebody else listens by now.

    Only the ports named in `needed` (default: all) are looked at. What changes is said and remembered.
    `web` is a port that somebody wants by name: it is taken as it is, and not remembered.
    Raises CannotStart when the wanted one is taken, or no free one is found.
    """
    remembered = _read(file)
    checked = set(Ports.names() if needed is None else needed)
    chosen: dict[str, int] = {}
    for name in Ports.names():
        chosen[name] = _settle_one(name, remembered.get(name), name in checked, set(chosen.values()), say)
    if chosen != remembered:
        write_private(file, json.dumps(chosen, indent=2) + "\n", mode=0o644)
    if web is not None:
        if not is_free(web):
            raise CannotStart(f"port {web} (GRIDSVC_HTTP_PORT) is taken by another program; name another or none")
        chosen["web"] = web
    return Ports(**chosen)


def _settle_one(
    name: str, remembered: int | None, checked: bool, others: set[int], say: Callable[[str], None]
) -> int:
    if remembered is not None and (not checked or is_free(remembered)):
        return remembered
    wanted = WEB if name == "web" and remembered is None else None
    port = wanted if wanted and is_free(wanted) else _choose(others)
    if remembered is not None:
        say(f"port {remembered} ({name}) is taken by another program; from now on it is {port}")
    return port


def _choose(others: set[int]) -> int:
    for port in random.sample(_CHOICE, k=200):
        if port not in others and is_free(port):
            return port
    raise CannotStart(f"no free port found among {_CHOICE.start} to {_CHOICE.stop - 1} on {LOOPBACK}")


def _read(file: Path) -> dict[str, int]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as trouble:
        raise CannotStart(f"{file} is not JSON any more ({trouble}); mend or delete it") from trouble
    return {name: int(kept[name]) for name in Ports.names() if name in kept}
