"""nats-py's client, as a bus needs it: one that never tries again, says whenever it ends, and ends when it should."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import nats.errors
from nats.aio.client import Client

from coinswarm.delivery import demand_sendable
from coinswarm.domain.stored import Message
from coinswarm.errors import RetryableError
from coinswarm_nats.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.msg import Msg

    from coinswarm.ports import OnError
    from coinswarm_nats.nkey import Identity

    Take = Callable[[str, bytes, str], None]

CLOSE_SECONDS = 0.5
"""How long the end of a connection may take."""
_AT_ONCE = 1 << 15
"""Bytes on their way to the network up to which more are written at once."""
_NOBODY = b"NATS/1.0 503"
"""How the headers begin with which a server answers a request in nobody's stead."""
_SHOWN = 100
"""Characters that are shown of a subject that anybody chose."""


class Taker:
    """Takes the messages of a subscription as they are read, without a task between."""

    def __init__(self, take: Take) -> None:
        self.take = take

    async def func(self, message: Msg) -> None:
        """What nats-py would call, and asks for by this name."""
        self.take(message.subject, message.data, message.reply)

    __call__ = func


class BusClient(Client):
    """nats-py's client, which signs as an identity, can refuse to talk in the clear, and always says when it ends.

    :param encrypted: whether a server that does not ask for TLS is refused before anything is sent to it.
    :param certified: whether we have a certificate to show.
    :param ended: is told that it is over.
    :param tell: is told of messages that are dropped.
    """

    def __init__(
        self, identity: Identity | None, ended: Callable[[], None], tell: OnError, *, encrypted: bool, certified: bool
    ) -> None:
        super().__init__()
        self._ps = Reader(self)
        self._ended, self._tell, self._certified = ended, tell, certified
        self.gathers = False
        """Whether what is published waits until it is written out, or much waits."""
        self._public_nkey = identity.public if identity is not None else None
        self._encrypted = encrypted

    async def _flush_pending(self, force_flush: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - its own signature
        if self.gathers and not force_flush:
            return None
        # nats-py would wake a task of its own to write, one turn of the loop later. That waits, and is for what waits.
        writer = getattr(self._transport, "_io_writer", None)
        if (
            force_flush
            or writer is None
            or not self.is_connected
            or writer.transport.get_write_buffer_size() > _AT_ONCE
        ):
            return await super()._flush_pending(force_flush)
        self.write_out()
        return None

    def write_out(self) -> None:
        """Hand what waits to the network, however much that has to take already."""
        if self._pending and self._transport is not None:
            pending, self._pending, self._pending_data_size = self._pending, [], 0
            self._transport.writelines(pending)

    async def _send_ping(self, future: Any = None) -> None:  # noqa: ANN401 - its own signature
        self.write_out()  # nats-py would ask first: the answer would say nothing of what waits
        await super()._send_ping(future)

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:  # noqa: FBT001, FBT002 - its own signature
        if self._encrypted and initial_connection and not info.get("tls_required"):
            raise nats.errors.SecureConnRequiredError
        if initial_connection and info.get("tls_verify") and not self._certified:
            raise nats.errors.SecureConnFailedError  # else it would hang up later, in one of many ways
        await super()._process_info(info, initial_connection)

    async def _process_op_err(self, e: Exception) -> None:
        # The line is broken. Closing would send what is left: that fails and tells nobody, or it has no end.
        self.cut()
        await super()._process_op_err(e)

    def cut(self) -> None:
        """Give up what is unsent and the line itself: else a peer that takes nothing is waited for, for ever."""
        self._pending, self._pending_data_size = [], 0
        writer = getattr(self._transport, "_io_writer", None)
        if writer is None:
            return
        # A line that is closed already raises whatever asyncio, its TLS or uvloop makes of that.
        with suppress(Exception):  # what the kernel holds is dropped too: it would come late, should the line recover
            end = writer.get_extra_info("socket")
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(Exception):
            writer.transport.abort()

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        try:
            message = Message(subject.decode("ascii"), data, reply.decode("ascii"))
            demand_sendable([message])
        except ValueError as error:
            where, why = str(subject)[2:-1][:_SHOWN], str(error)[:_SHOWN]
            text = f"a message that no part of a swarm sends is dropped, on {where} ({why})"
            self._tell(RetryableError(text, remedy="see who may publish there"))
            return
        subscription = self._subs.get(sid)
        taker = None if subscription is None else subscription._cb  # noqa: SLF001 - nats-py's own
        if not isinstance(taker, Taker):
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        # nats-py would queue it for a task of its own; what takes it here queues it already.
        self.stats["in_msgs"] += 1
        self.stats["in_bytes"] += len(data)
        taker.take(message.subject, data, message.reply)

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # Anybody may write them, and not all of them can be read. One matters: the server says that nobody listens.
        return {"Status": _NOBODY[-3:].decode()} if headers and headers.startswith(_NOBODY) else None

    @property
    def hears_answers(self) -> bool:
        """Whether ``hear_answers`` was called; nothing is requested before."""
        return bool(self._resp_sub_prefix)

    def hear_answers(self, inbox: str) -> None:
        """Have answers sent to subjects that begin with these words; ``take_answer`` is handed what comes there."""
        self._resp_sub_prefix = bytearray(f"{inbox}.".encode())

    async def take_answer(self, message: Msg) -> None:
        """Hand an answer to who waits for it."""
        await self._request_sub_callback(message)

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():  # who asked was cancelled; nats-py would stop reading, deaf for good
            self._pongs.pop(0)
            self._pings_outstanding = 0
            return
        await super()._process_pong()

    async def _read_loop(self) -> None:
        await super()._read_loop()
        if not self.is_closed:  # an error that nats-py did not expect, logs and lives with
            await self._process_op_err(nats.errors.ProtocolError())

    async def _close(self, status: int, do_cbs: bool = True) -> None:  # noqa: FBT001, FBT002 - its own signature
        # Shielded, so that sockets are closed whoever leaves; bounded, because asyncio's `wait_closed` has no end after
        # a TLS handshake that failed, or before a peer that is silent.
        try:
            with anyio.move_on_after(CLOSE_SECONDS, shield=True):
                await super()._close(status, do_cbs)
        finally:
            self.cut()
            self._ended()
