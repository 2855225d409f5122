"""One connection to one NATS server, from its opening to its end; a lost one is not used again.

nats-py can reconnect by itself, but then keeps what is published meanwhile and sends it later, which a bus must not do
after it said ``UnreachableError``. So each connection is a client of its own that never reconnects. By its annotations
nats-py wants whole seconds; it takes parts of them.
"""

from __future__ import annotations

import re
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

import anyio
import nats.errors

from coinswarm.errors import (
    AmbiguousError,
    CoinswarmError,
    OperatorError,
    RetryableError,
    UnreachableError,
    one_line,
)
from coinswarm.ports import MAX_MESSAGE
from coinswarm_nats.client import BusClient, Taker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from coinswarm.ports import OnError
    from coinswarm_nats.client import Take
    from coinswarm_nats.nkey import Identity
    from coinswarm_nats.settings import NatsSettings

T = TypeVar("T")

UNSENT = 1 << 20
"""Bytes that wait to be sent before a publisher must wait for the server."""
DENIED = "permissions violation"
"""In an error of the server's: what was asked is not allowed to this identity; the connection lives on."""
REFUSED = ("authorization violation", "authentication")
"""In an error of the server's: who asks is not let in."""


class Connection:
    """An open connection.

    :param url: the server.
    :param tls: for servers that ask for TLS.
    :param tell: is told of errors that belong to no call.
    """

    def __init__(
        self, url: str, settings: NatsSettings, identity: Identity | None, tls: ssl.SSLContext, tell: OnError
    ) -> None:
        self.url, self.lost, self.reason = url, anyio.Event(), ""
        self._settings, self._identity, self._tls, self._tell = settings, identity, tls, tell
        self._client = BusClient(
            identity,
            self._closes,
            tell,
            encrypted=urlsplit(url).scheme == "tls",
            certified=settings.certificate_file is not None,
        )
        self._opening = True
        self._first_request = anyio.Lock()
        self._calls: set[tuple[frozenset[str], Callable[[Exception], None]]] = set()

    async def open(self) -> None:
        """Connect.

        :raises UnreachableError, OperatorError: naming the server and what to do.
        """
        seconds = self._settings.connect_seconds
        try:
            with anyio.fail_after(seconds):
                await self._client.connect(
                    [self.url],
                    name=self._settings.client_name,
                    error_cb=self._errs,
                    signature_cb=self._identity.signed if self._identity is not None else None,
                    tls=self._tls,
                    inbox_prefix=".".join(filter(None, ("_INBOX", self._settings.inbox))),
                    allow_reconnect=False,
                    connect_timeout=cast("int", seconds),
                    ping_interval=cast("int", self._settings.ping_seconds),
                    pending_size=4 * UNSENT,
                    flush_timeout=self._settings.answer_seconds,
                )
                self._opening = False
                await self.flush("the connection")  # a server that wants our certificate hangs up only now
            self._demand_room()
        except (OSError, nats.errors.Error, TimeoutError, AmbiguousError) as error:
            problem = self._unopened(error)  # before closing, which may find reasons of its own
            await self.close()
            raise problem from None
        except CoinswarmError:
            await self.close()
            raise
        except Exception as error:  # whatever nats-py makes of what answers there: who tries again must live
            await self.close()
            message = f"what answers at {self.url} is no NATS server ({one_line(error)})"
            raise UnreachableError(message, remedy="start one there, or name another in the setting url") from error
        except BaseException:
            await self.close()
            raise

    def _demand_room(self) -> None:
        """Hold that the server carries all that a swarm sends.

        :raises OperatorError: when it does not.
        """
        most = self._client.max_payload
        if most < MAX_MESSAGE:
            message = f"the NATS server {self.url} carries messages of {most} bytes at most"
            raise OperatorError(message, remedy=f"set max_payload to {MAX_MESSAGE} or more in its configuration")

    async def close(self) -> None:
        """End it; nothing runs on."""
        self._opening = False
        with suppress(Exception), anyio.CancelScope(shield=True):
            await self._client.close()
        self.lost.set()

    async def _errs(self, error: Exception) -> None:
        """What nats-py has to say beside its answers."""
        if self._opening:
            raise error  # else it would try the same server again, without a word
        if DENIED not in str(error):
            self.reason = self.reason or _words(error)
            return
        text = f"the NATS server {self.url} does not allow it to this identity: {_words(error)}"
        denial = OperatorError(text, remedy="change the permissions of its nkey in the server's configuration")
        named = set(re.findall(r'"([^"]*)"', str(error)))
        heard = [tell for subjects, tell in list(self._calls) if subjects & named]
        for tell in heard:
            tell(denial)
        if not heard:
            self._tell(denial)

    def _closes(self) -> None:
        """It is over."""
        error = self._client.last_error
        self.reason = self.reason or (_words(error) if error is not None else "")
        self.lost.set()

    def _unopened(self, error: Exception) -> CoinswarmError:
        """Why it could not be opened, and who must act."""
        text = self.reason or _words(error)
        if isinstance(error, ssl.SSLCertVerificationError):
            message = f"the certificate of the NATS server {self.url} is not trusted ({error.verify_message})"
            return OperatorError(message, remedy="name its authority in ca_file, and its host as the certificate does")
        if isinstance(error, nats.errors.SecureConnRequiredError):
            message = f"the NATS server {self.url} offers no TLS"
            return OperatorError(message, remedy="configure its tls, or write nats:// where the network is trusted")
        if isinstance(error, nats.errors.SecureConnFailedError):
            message = f"the NATS server {self.url} demands a certificate"
            return OperatorError(message, remedy="set certificate_file and key_file to one that it trusts")
        if any(word in text.lower() for word in REFUSED):
            message = f"the NATS server {self.url} refuses the credentials ({text})"
            return OperatorError(message, remedy="give it the public key of nkey_seed, or set the seed that it knows")
        if isinstance(error, ssl.SSLError) or "certificate" in text.lower() or "tls" in text.lower():
            message = f"the NATS server {self.url} and we do not agree on TLS ({text})"
            return OperatorError(message, remedy="see that it trusts certificate_file and speaks TLS 1.2 or later")
        message = f"the NATS server {self.url} cannot be reached ({text})"
        return UnreachableError(message, remedy="start it, or name another in the setting url")

    async def publish(self, subject: str, data: bytes, reply: str) -> None:
        """Hand a message to the client, which sends it; waits only where much is unsent.

        :raises UnreachableError: when the connection is lost; nothing was done.
        """
        what = f"a message on {subject!r}"
        if self._client.pending_data_size >= UNSENT:
            try:
                await self.flush("what was published")
            except AmbiguousError as error:  # that is what went before; this was not sent
                raise UnreachableError(error.message, remedy="slow down, or see why the server does") from None
        try:
            await self._client.publish(subject, data, reply)
        except nats.errors.ConnectionClosedError:
            self.demand(what)
            raise

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Write what is published inside together: at the end, and as often as much is unsent."""
        self._client.gathers = True
        try:
            yield
        finally:
            self._client.gathers = False
            self._client.write_out()

    async def subscribe(self, subject: str, group: str, take: Take) -> Subscription:
        """Have messages of a pattern put somewhere; counts from when this returns.

        :param take: is handed a message's subject, data and reply; never waits, never raises.

        :raises UnreachableError: when the connection is lost; nothing was done then, for it ends with it.
        :raises OperatorError: when the identity may not listen there.
        """
        return await self._subscribed(f"a subscription to {subject!r}", subject, group, Taker(take))

    async def _subscribed(
        self, what: str, subject: str, group: str, taker: Callable[[Msg], Awaitable[None]]
    ) -> Subscription:
        """Make a subscription, and wait for the server to have it."""
        self.demand(what)
        try:
            made = await self._client.subscribe(subject, group, taker)
        except nats.errors.ConnectionClosedError:
            self.demand(what)
            raise
        try:
            await self.flush(what, subject)
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await self.end(made)
            if isinstance(error, AmbiguousError):
                raise UnreachableError(error.message, remedy="try it again") from None
            raise
        return made

    async def end(self, subscription: Subscription, *, drain: bool = False) -> None:
        """End a subscription; one that ended with the connection is no error.

        :param drain: first take what the server has sent.
        """
        function = subscription.drain if drain else subscription.unsubscribe
        with suppress(RetryableError):
            await self._call("the end of a subscription", (), function, self._settings.answer_seconds)

    async def request(self, subject: str, data: bytes, seconds: float) -> Msg:
        """The first answer to a message.

        :raises UnreachableError: when nobody is subscribed.
        :raises AmbiguousError: when none comes in time, or the connection is lost.
        :raises OperatorError: when the identity may not ask there, or not hear answers; it was not asked then.
        """
        what = f"a request on {subject!r}"
        await self._hear_answers(what, seconds)
        return await self._call(what, [subject], lambda: self._client.request(subject, data, seconds), seconds)

    async def _hear_answers(self, what: str, seconds: float) -> None:
        """Listen where answers come, before the first request: else that would be done, and nobody would hear of it."""
        with anyio.move_on_after(seconds) as scope:
            async with self._first_request:
                if self._client.hears_answers:
                    return
                inbox = self._client.new_inbox()
                try:
                    await self._subscribed(f"the inbox of {what}", f"{inbox}.*", "", self._client.take_answer)
                except OperatorError as error:
                    remedy = "set inbox to words below _INBOX where this identity may listen, or allow it these"
                    raise OperatorError(error.message, remedy=remedy) from None
                self._client.hear_answers(inbox)
        if scope.cancelled_caught:
            text = f"{what} was not made: the NATS server {self.url} did not confirm its inbox within {seconds:g} s"
            raise UnreachableError(text)

    async def flush(self, what: str, *subjects: str) -> None:
        """Wait until the server has all that was sent.

        :raises AmbiguousError: when it does not say so in time, or the connection is lost.
        :raises OperatorError: when the identity may not use one of the subjects.
        """
        seconds = self._settings.answer_seconds
        await self._call(what, subjects, lambda: self._client.flush(cast("int", seconds)), seconds)

    async def _call(
        self, what: str, subjects: Sequence[str], function: Callable[[], Awaitable[T]], seconds: float
    ) -> T:
        """What the client answers, while the connection lives and the server allows it.

        :param what: is asked, for messages.
        :param subjects: whose permissions count.
        """
        self.demand(what)
        outcomes: list[tuple[T | None, Exception | None]] = []

        def ends(answer: T | None, error: Exception | None) -> None:
            outcomes.append((answer, error))
            group.cancel_scope.cancel()

        async def ask() -> None:
            try:
                ends(await function(), None)
            except (nats.errors.Error, OSError) as error:
                ends(None, self._unanswered(error, what, seconds))

        async def watch() -> None:
            await self.lost.wait()
            ends(None, self._unanswered(nats.errors.ConnectionClosedError(), what, seconds))

        entry = (frozenset(subject.lower() for subject in subjects), lambda error: ends(None, error))
        self._calls.add(entry)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(watch)
                group.start_soon(ask)
        finally:
            self._calls.discard(entry)
        answer, error = outcomes[0]
        if error is not None:
            raise error
        return cast("T", answer)

    def _unanswered(self, error: Exception, what: str, seconds: float) -> CoinswarmError:
        """Why a call has no answer."""
        if isinstance(error, nats.errors.NoRespondersError):
            return UnreachableError(f"{what} reaches nobody: nobody is subscribed to it")
        if isinstance(error, nats.errors.ConnectionClosedError):
            return AmbiguousError(f"{what} has no answer: the connection to the NATS server {self.url} was lost")
        if isinstance(error, nats.errors.TimeoutError):
            return AmbiguousError(f"{what} has no answer from the NATS server {self.url} within {seconds:g} s")
        return AmbiguousError(f"{what} has no answer from the NATS server {self.url} ({_words(error)})")

    def demand(self, what: str) -> None:
        """Hold that the connection is there.

        :raises UnreachableError: when it is not.
        """
        if self.lost.is_set() or self._client.is_closed:
            text = f"{what} is not possible: the connection to the NATS server {self.url} is lost"
            raise UnreachableError(text, remedy="it is made again as soon as the server is back")


def _words(error: Exception) -> str:
    """An error of the client's in words."""
    text = " ".join(str(error).split()).removeprefix("nats: ")
    return text or type(error).__name__
