"""SIP over UDP for devices of GB/T 28181: one socket, a registrar, and a receiver of MESSAGE.

Nothing is answered with 200 before it is committed. A device says again what was not answered, and its repeats are
answered as the first was. Strangers cost an answer of 403 and a number in memory: no row that they could fill.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from events.intake import digest, gb28181, sip
from events.intake.nonce import CHANCE_BYTES, make_nonce
from events.intake.registrar import Challenge, Denied, Proven, Use, judge
from events.intake.sip import Message
from events.intake.unreadable import Unreadable
from gridsvc.actions.give_sip_device import purpose_of
from gridsvc.actions.take_sip_messages import (
    Registration,
    SipMessage,
    Verdict,
    register_sip_device,
    take_sip_messages,
)
from gridsvc.db import DATABASE_AWAY, SERVICE, ConnPool, transaction
from gridsvc.errors import BadSettings, CannotUnseal
from gridsvc.sealing import Sealer
from gridsvc.settings import SipSettings
from gridsvc.store import intake_counts, sip_devices
from gridsvc.together import Together
from workers.runtime import periodically

log = logging.getLogger(__name__)

WAY: Final = "sip"
MOST_DATAGRAM: Final = 16 * 1024  # an alarm has one or two thousand bytes
MOST_PENDING: Final = 1_000  # requests that wait for their commit; beyond, one is dropped, and its device repeats it
MOST_ANSWERED: Final = 10_000
ANSWERED_S: Final = 32.0  # so long a request may be repeated (RFC 3261, 17.2.2: 64 times half a second)
MOST_TOGETHER: Final = 64
PACE_S: Final = 0.02
KNOWN_S: Final = 5.0  # between two looks at who may register
COUNT_S: Final = 1.0
GRACE_S: Final = 5.0
BUFFER_BYTES: Final = 4 << 20  # as much of it as the system gives: its own default holds some ninety datagrams

Peer = tuple[str, int]
Send = Callable[[bytes, Peer], None]

_OF_VERDICT: Final = {
    Verdict.TAKEN: (200, "OK"),
    Verdict.UNREAD: (400, "Bad Request"),
    Verdict.WRONG_MEDIA: (415, "Unsupported Media Type"),
    Verdict.NOT_WANTED: (488, "Not Acceptable Here"),
    Verdict.UNKNOWN_CAMERA: (404, "Not Found"),
    Verdict.UNREGISTERED: (403, "Forbidden"),
}
_ALLOW: Final = ("Allow", "REGISTER, MESSAGE, OPTIONS")


@dataclass(frozen=True)
class _Answered:
    until: float
    datagram: bytes


class SipDesk:
    """Answers datagrams; `send` puts one on the wire. Who may register it learns from `learn`, which comes first."""

    def __init__(
        self,
        pool: ConnPool,
        sealer: Sealer,
        settings: SipSettings,
        send: Send,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._sealer = sealer
        self._settings = settings
        self._send = send
        self._ticks = ticks
        self.port = 0  # where it listens, for the messages of its own
        self._nonces = secrets.token_bytes(32)  # challenges of another process are stale, no more
        self._passwords: dict[str, tuple[bytes, str]] = {}  # by code: sealed and open
        self._uses: dict[str, Use] = {}
        self._answered: OrderedDict[bytes, _Answered] = OrderedDict()
        self._pending: dict[bytes, asyncio.Task[None]] = {}
        self._counts: Counter[str] = Counter()
        self._together: Together[SipMessage] = Together(self._commit, MOST_TOGETHER, PACE_S)

    # -- what comes -----------------------------------------------------------------------------------

    def take(self, datagram: bytes, peer: Peer) -> None:
        """Take one datagram; whatever it holds, this neither fails nor waits."""
        if len(datagram) > MOST_DATAGRAM:
            self._counts["too_large"] += 1
            return
        if not datagram.strip(b"\r\n\0 "):  # keeps a hole in a firewall open (RFC 5626)
            return
        name = hashlib.blake2b(f"{peer}".encode() + datagram, digest_size=16).digest()
        if self._is_repeated(name, peer):
            return
        request = self._read(datagram, peer)
        if request is None:
            return
        if request.sender not in self._passwords:
            self._refuse(request, peer, "unknown_device", 403, "Forbidden")
        elif request.method == "REGISTER":
            self._judge(request, peer, name)
        elif request.method == "MESSAGE":
            self._begin(name, self._take_message(request, peer, name))
        elif request.method == "OPTIONS":
            self._refuse(request, peer, "options", 200, "OK", (_ALLOW,))
        else:
            self._refuse(request, peer, "not_allowed", 405, "Method Not Allowed", (_ALLOW,))

    def _is_repeated(self, name: bytes, peer: Peer) -> bool:
        """Whether this very datagram came before: then it is answered as it was, or will be."""
        if name in self._pending:
            self._counts["repeated"] += 1
            return True
        before = self._answered.get(name)
        if before is None or before.until < self._ticks():
            return False
        self._counts["repeated"] += 1
        self._send(before.datagram, peer)
        return True

    def _read(self, datagram: bytes, peer: Peer) -> Message | None:
        """The request; None for what is none, which is answered where it can be."""
        try:
            told = sip.read(datagram)
        except Unreadable as error:
            self._counts["unreadable"] += 1
            if error.code == "wrong_length" and (head := sip.read_head(datagram)).method not in ("", "ACK"):
                self._answer(head, peer, 400, "Bad Request")
            return None
        if told.status:  # a device's answer to a MESSAGE of ours, which is said once
            self._counts["answers"] += 1
            return None
        return None if told.method == "ACK" else told

    # -- registering ------------------------------------------------------------------------------------

    def _judge(self, request: Message, peer: Peer, name: bytes) -> None:
        code = request.sender
        judged = judge(
            request, self._passwords[code][1], self._settings.realm, self._nonces, self._uses.get(code), self._moment()
        )
        match judged:
            case Challenge(stale):
                nonce = make_nonce(self._nonces, self._moment(), secrets.token_bytes(CHANCE_BYTES))
                wanted = digest.challenge(self._settings.realm, nonce) + (", stale=true" if stale else "")
                self._refuse(request, peer, "challenged", 401, "Unauthorized", (("WWW-Authenticate", wanted),))
            case Denied(status, reason, headers):
                self._refuse(request, peer, "denied", status, reason, headers)
            case Proven(seconds, use):
                self._uses[code] = use
                self._begin(name, self._register(request, peer, name, seconds))

    async def _register(self, request: Message, peer: Peer, name: bytes, seconds: int) -> None:
        async with transaction(self._pool, SERVICE) as (conn, now):
            at = await register_sip_device(conn, Registration(request.sender, peer[0], seconds), now)
        if at is None:
            self._refuse(request, peer, "denied", 403, "Forbidden")
            return
        self._counts["registered" if seconds else "unregistered"] += 1
        # The standard's devices set their clocks by this Date: it is local, and has no zone (9.10.1).
        further = [("Date", f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1_000:03d}"), ("Expires", str(seconds))]
        if contact := request.first("contact"):
            further.append(("Contact", contact))
        self._answer(request, peer, 200, "OK", further, name)

    # -- messages ---------------------------------------------------------------------------------------

    async def _take_message(self, request: Message, peer: Peer, name: bytes) -> None:
        message = SipMessage(request.sender, peer[0], request.first("content-type"), request.body)
        await self._together(message)
        self._counts[message.verdict] += 1
        status, reason = _OF_VERDICT[message.verdict]
        # What is not registered is not remembered: it may register, and say the same again.
        remembered = name if message.verdict is not Verdict.UNREGISTERED else None
        self._answer(request, peer, status, reason, (), remembered)
        if message.alarm is not None:
            self._answer_alarm(request.sender, peer, *message.alarm)

    def _answer_alarm(self, device: str, peer: Peer, number: str, of: str) -> None:
        """The standard's own answer to an alarm, a MESSAGE (9.4). Said once; an alarm that comes again gets it, too."""
        leg = sip.Leg(
            ours=self._settings.server, theirs=device, local=(_seen_by(peer), self.port), remote=peer,
            branch=secrets.token_hex(8), tag=secrets.token_hex(8), call_id=secrets.token_hex(16),
        )  # fmt: skip
        self._send(sip.message(leg, gb28181.MEDIA_TYPE, gb28181.answer(number, of)), peer)

    async def _commit(self, messages: Sequence[SipMessage]) -> None:
        async with transaction(self._pool, SERVICE) as (conn, now):
            await take_sip_messages(conn, messages, now)

    # -- answers ----------------------------------------------------------------------------------------

    def _begin(self, name: bytes, work: Coroutine[object, object, None]) -> None:
        """Let a request wait for its commit. Where too many do it is dropped, as a network drops one."""
        if len(self._pending) >= MOST_PENDING:
            self._counts["dropped"] += 1
            work.close()
            return
        self._pending[name] = asyncio.create_task(self._finish(name, work), name="sip request")

    async def _finish(self, name: bytes, work: Coroutine[object, object, None]) -> None:
        """A request that fails is not answered: its device says it again, and is told then."""
        try:
            await work
        except DATABASE_AWAY as error:
            self._counts["failed"] += 1
            log.warning("the database is away", extra={"action": "database_lost"}, exc_info=error)
        except Exception as error:
            self._counts["failed"] += 1
            log.error("a message by SIP failed", extra={"action": "sip_failed"}, exc_info=error)
        finally:
            del self._pending[name]

    def _refuse(
        self, request: Message, peer: Peer, outcome: str, status: int, reason: str,
        further: Sequence[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        """An answer at once, of which nothing is remembered: it costs as little the second time."""
        self._counts[outcome] += 1
        self._answer(request, peer, status, reason, further)

    def _answer(
        self, request: Message, peer: Peer, status: int, reason: str, further: Sequence[tuple[str, str]] = (),
        name: bytes | None = None,
    ) -> None:  # fmt: skip
        """Answer; with `name` it is remembered for repeats of the request."""
        datagram = sip.answer(request, status, reason, secrets.token_hex(8), peer, further)
        if name is not None:
            while len(self._answered) >= MOST_ANSWERED or (
                self._answered and next(iter(self._answered.values())).until < self._ticks()
            ):
                self._answered.popitem(last=False)
            self._answered[name] = _Answered(self._ticks() + ANSWERED_S, datagram)
        self._send(datagram, peer)

    # -- rounds -----------------------------------------------------------------------------------------

    async def learn(self) -> int:
        """Look who may register; return how many. A password that no key opens lets nobody in, and is said."""
        async with transaction(self._pool, SERVICE) as (conn, _):
            found = await sip_devices.KNOWN.all(conn)
        passwords: dict[str, tuple[bytes, str]] = {}
        for device in found:
            before = self._passwords.get(device.code)
            if before is not None and before[0] == device.secret:
                passwords[device.code] = before
                continue
            try:
                password = self._sealer.unseal(device.secret, purpose_of(device.code)).decode()
            except CannotUnseal as error:
                log.error(
                    "a password cannot be unsealed", extra={"action": "sip_sealed", "camera": device.code},
                    exc_info=error,
                )  # fmt: skip
                continue
            passwords[device.code] = device.secret, password
        self._passwords = passwords
        self._uses = {code: use for code, use in self._uses.items() if code in passwords}
        return len(passwords)

    async def count(self) -> None:
        """Write down what became of datagrams since the last time."""
        counted, self._counts = self._counts, Counter()
        if counted["unknown_device"]:
            log.warning(
                "devices that nobody knows", extra={"action": "sip_stranger", "messages": counted["unknown_device"]}
            )
        try:
            async with transaction(self._pool, SERVICE) as (conn, _):
                await intake_counts.count(conn, WAY, counted)
        except BaseException:
            self._counts.update(counted)
            raise

    async def rest(self) -> None:
        """Wait until nothing is pending, GRACE_S at most; what is left is not answered."""
        if self._pending:
            _, busy = await asyncio.wait(list(self._pending.values()), timeout=GRACE_S)
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)

    def _moment(self) -> datetime:
        """The time of nonces: since this machine started, which nobody sets."""
        return datetime.fromtimestamp(self._ticks(), UTC)


def _seen_by(peer: Peer) -> str:
    """The address of ours that `peer` sees, where we listen on several; nothing is sent to find it."""
    family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(peer)
        return str(probe.getsockname()[0])


class _Wire(asyncio.DatagramProtocol):
    """The socket's end: hands datagrams to `take`, and puts answers on the wire."""

    def __init__(self) -> None:
        self.take: Callable[[bytes, Peer], None] = lambda _datagram, _peer: None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[1]:  # nobody can be answered at port 0
            self.take(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """An answer did not arrive somewhere: its device asks again, or is gone."""

    def send(self, datagram: bytes, peer: Peer) -> None:
        """Put one datagram on the wire, while there is one."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, peer)


def _bound(settings: SipSettings) -> socket.socket:
    """The one socket, bound. Raises BadSettings where the address cannot be had."""
    assert settings.address is not None  # noqa: S101 - the caller has looked
    held = socket.socket(socket.AF_INET6 if ":" in settings.address[0] else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        held.setblocking(False)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        held.bind(settings.address)
    except OSError as fault:
        held.close()
        raise BadSettings(f"GRIDSVC_SIP_LISTEN is {settings.listen}, which cannot be had: {fault.strerror}") from fault
    return held


async def sip_service(
    pool: ConnPool, sealer: Sealer, settings: SipSettings, stop: asyncio.Event,
    ready: Callable[[Peer], None] = lambda _: None,
) -> None:  # fmt: skip
    """Listen until `stop`; `ready` is told where. Raises BadSettings where the address cannot be had."""
    if settings.address is None:
        raise BadSettings("GRIDSVC_SIP_LISTEN is empty; sip cannot work without it")
    wire = _Wire()
    desk = SipDesk(pool, sealer, settings, wire.send)
    await desk.learn()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: wire, sock=_bound(settings))
    try:
        host, desk.port = transport.get_extra_info("sockname")[:2]
        wire.take = desk.take
        log.info("listening", extra={"action": "sip_listening", "host": host, "port": desk.port})
        ready((host, desk.port))
        async with asyncio.TaskGroup() as group:
            for name, seconds, turn in (("sip devices", KNOWN_S, desk.learn), ("sip counts", COUNT_S, desk.count)):
                group.create_task(periodically(name, seconds, turn, stop), name=name)
        await desk.rest()
        await desk.count()
    finally:
        transport.close()
