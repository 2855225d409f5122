"""The connections to Redis: made from the settings, one exchange at a time, their errors in Coinswarm's words."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from redis import exceptions
from redis.asyncio import ConnectionPool

from coinswarm.errors import (
    AmbiguousError,
    CoinswarmError,
    DataError,
    NotReadyError,
    ProfileError,
    RetryableError,
    UnreachableError,
)
from coinswarm_redis.patience import Patience
from coinswarm_redis.progress import ANEW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio.connection import AbstractConnection

    from coinswarm_redis.settings import RedisSettings

    Word = str | int | float | bytes

LEAST = (8, 2)
NEEDED = f"Redis {LEAST[0]}.{LEAST[1]} or later"

PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0
"""Before the first of the retries, and before any: each is twice the one before."""


def _packed(words: tuple[Word, ...]) -> bytes:
    """Words as Redis reads them."""
    given = (word if isinstance(word, bytes) else str(word).encode() for word in words)
    return b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in given])


class Begin(NamedTuple):
    """How commands begin, packed once for all of them: a script's keys take longer to pack than what differs.

    :param words: how many.
    """

    words: int
    packed: bytes

    @classmethod
    def of(cls, *words: Word) -> Begin:
        """Of some words."""
        return cls(len(words), _packed(words))

    def then(self, *words: Word) -> bytes:
        """The command that ends with some words, as Redis reads it."""
        return b"*%d\r\n%b%b" % (self.words + len(words), self.packed, _packed(words))


def command(*words: Word) -> bytes:
    """A command as Redis reads it."""
    return Begin.of(*words).then()


MULTI, EXEC = command("MULTI"), command("EXEC")

AT_ONCE = 1_000
"""So many commands are sent before the first answer is read."""


class BrokenError(exceptions.ConnectionError):
    """A connection broke before the answer was there: what was sent may have been done."""


class LateError(exceptions.TimeoutError):
    """No answer came in time: what was sent may have been done."""


class Client:
    """Connections of redis-py's, as many as calls may be under way; more calls wait. It connects at its first call.

    redis-py's client and pool take a lock, two timers, and in Python 3.11 a task for each command: a tenth of what a
    search takes. Here a connection rests between calls, and is given to the next. One whose exchange did not end with
    the whole answer, whatever ended it, is hung up: what is still to come would be taken for the answer to another.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._made = _maker(settings)
        self._resting: list[AbstractConnection] = []
        """Connected when they were left; the last one left is the first one taken."""
        self._places = asyncio.Semaphore(settings.connections)
        self._patience = Patience(settings.answer_seconds)
        self._closed = False

    async def ask(self, command: bytes, *, again: bool = True) -> Any:  # noqa: ANN401 - its answer
        """What a command answers.

        :param again: it may be done twice.
        :raises BrokenError, LateError: it was sent, and not answered.
        :raises exceptions.RedisError: it failed, or too many others are under way for too long.
        """
        (answer,) = _good(await self._call(command, 1, again=again))
        return answer

    async def each(self, commands: Sequence[bytes]) -> list[Any]:
        """What commands answer, one after the other.

        :raises exceptions.RedisError: as ``ask``; for the first of them that failed.
        """
        found: list[Any] = []
        for first in range(0, len(commands), AT_ONCE):
            some = commands[first : first + AT_ONCE]
            found += await self._call(b"".join(some), len(some))
        return _good(found)

    async def together(self, *commands: bytes) -> list[Any]:
        """What commands answer between which nothing else is done.

        :raises exceptions.RedisError: as ``ask``; for the first of them that failed.
        """
        return _good(_good(await self._call(b"".join((MULTI, *commands, EXEC)), 2 + len(commands)))[-1])

    async def info(self, *sections: str) -> dict[str, str]:
        """What sections of the server's ``INFO`` say."""
        lines = (await self.ask(command("INFO", *sections))).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    async def version(self) -> str:
        """The server's version, or a word where it does not say."""
        try:
            return (await self.info("server")).get("redis_version", "unknown")
        except exceptions.RedisError:
            return "unknown"

    async def close(self) -> None:
        """Let go of the connections; those of calls under way as these end."""
        self._closed = True
        while self._resting:
            await self._resting.pop().disconnect()

    async def _call(self, packed: bytes, answers: int, *, again: bool = True) -> list[Any]:
        """What is answered, an error of a command's included; tried again where the connection broke.

        :param again: also where it may have been done.
        """
        if self._places.locked():
            try:
                async with asyncio.timeout(self._settings.answer_seconds):
                    await self._places.acquire()
            except TimeoutError:
                message = "No connection was free"
                raise exceptions.ConnectionError(message) from None
        else:
            await self._places.acquire()
        broken, attempt = None, 0
        try:
            while True:
                try:
                    return await self._exchanged(packed, answers)
                except exceptions.AuthenticationError:
                    raise  # who is refused by name is not let in by knocking again
                except exceptions.ConnectionError as error:
                    broken = error if isinstance(error, BrokenError) else broken
                    if attempt == self._settings.retries or (broken and not again):
                        raise
                await asyncio.sleep(min(LONGEST_PAUSE_SECONDS, PAUSE_SECONDS * 2**attempt))
                attempt += 1
        except exceptions.RedisError as error:
            if broken is None or isinstance(error, BrokenError | LateError):
                raise
            message = f"{broken} Then: {error}"  # what was sent before may have been done
            raise BrokenError(message) from error
        finally:
            self._places.release()

    async def _exchanged(self, packed: bytes, answers: int) -> list[Any]:
        """One exchange, on a connection that rests afterwards if it was answered in full.

        :raises BrokenError, LateError: it was sent, and not answered.
        :raises exceptions.RedisError: it was not sent, or refused.
        """
        connection = await self._connected()
        whole = False
        try:
            with self._patience.wait():
                await connection.send_packed_command(packed, check_health=False)
                found = [await _answer(connection) for _ in range(answers)]
            whole = True
        except TimeoutError:
            await self._hang_up()  # others may have died in silence as this one did
            message = f"No answer within {self._settings.answer_seconds:g} s"
            raise LateError(message) from None
        except (exceptions.AuthenticationError, exceptions.BusyLoadingError):
            raise  # that was the answer
        except exceptions.ConnectionError as error:
            raise BrokenError(str(error)) from error
        finally:
            if whole and not self._closed:
                self._resting.append(connection)
            else:
                await connection.disconnect(nowait=True)
        return found

    async def _hang_up(self) -> None:
        """Let go of the connections that rest."""
        while self._resting:
            await self._resting.pop().disconnect(nowait=True)

    async def _connected(self) -> AbstractConnection:
        """A connection on which nothing is under way: one that rested, unless the server hung up, or a new one."""
        while self._resting:
            rested = self._resting.pop()
            try:
                if not await rested.can_read():
                    return rested
            except exceptions.ConnectionError:
                pass
            await rested.disconnect(nowait=True)
        made: AbstractConnection = self._made.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                await made.connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            await made.disconnect(nowait=True)
            message = f"Not connected within {self._settings.connect_seconds:g} s"
            raise exceptions.TimeoutError(message) from None
        except BaseException:
            await made.disconnect(nowait=True)
            raise
        return made


async def _answer(connection: AbstractConnection) -> Any:  # noqa: ANN401 - whatever it is
    """The next answer; that a command was refused is one, too."""
    try:
        return await connection.read_response()
    except exceptions.ResponseError as refusal:
        return refusal


def _good(answers: list[Any]) -> list[Any]:
    """Answers none of which is an error.

    :raises exceptions.ResponseError: the first that is one.
    """
    for answer in answers:
        if isinstance(answer, exceptions.ResponseError):
            raise answer
    return answers


def _maker(settings: RedisSettings) -> ConnectionPool:
    """What makes connections, none yet; that it could pool them is not used.

    They have no timeouts of their own, nor retries: ``Client`` sees to both.
    """
    options: dict[str, Any] = {}
    if settings.username:
        options["username"] = settings.username
    if settings.password is not None:
        options["password"] = settings.password.get_secret_value()
    if settings.ca_file is not None:
        options["ssl_ca_certs"] = str(settings.ca_file)
    if settings.certificate_file is not None:
        options |= {"ssl_certfile": str(settings.certificate_file), "ssl_keyfile": str(settings.key_file)}
    return ConnectionPool.from_url(
        settings.url,
        socket_connect_timeout=settings.connect_seconds,
        socket_timeout=None,
        client_name="coinswarm",
        protocol=2,  # one form of answers, whatever redis-py's default
        **options,
    )


def told(error: exceptions.RedisError, shown: str, *, wrote: bool) -> CoinswarmError:
    """What an error of the client's means for those who must act.

    :param shown: the server, for the message.
    :param wrote: whether the call may have changed something.
    """
    text = " ".join(str(error).split())
    answered = _answered(error, text, shown)
    if answered is not None:
        return answered
    if not isinstance(error, exceptions.TimeoutError | exceptions.ConnectionError):
        return RetryableError(f"{shown} failed ({text})")
    if wrote and isinstance(error, BrokenError | LateError):
        return AmbiguousError(f"{shown} did not confirm a write ({text})")
    return UnreachableError(f"{shown} cannot be reached ({text})")


def _answered(error: exceptions.RedisError, text: str, shown: str) -> CoinswarmError | None:
    """What the server's own refusal means, or None where it is none that we know."""
    found: CoinswarmError | None = None
    if isinstance(error, exceptions.AuthenticationError | exceptions.NoPermissionError):
        found = ProfileError(
            f"{shown} refuses us ({text})", remedy="correct username and password of the backend redis"
        )
    elif isinstance(error, exceptions.BusyLoadingError) or text.startswith("BUSY"):
        found = UnreachableError(f"{shown} is busy ({text})")
    elif isinstance(error, exceptions.OutOfMemoryError) or "OOM" in text:
        found = NotReadyError(f"{shown} is full ({text})", remedy="give it more memory (maxmemory)")
    elif isinstance(error, exceptions.ReadOnlyError):
        found = NotReadyError(f"{shown} is a replica ({text})", remedy="name the master in url")
    elif text.startswith("HISTORY "):
        message = f"the index in {shown} was folded from another log: the entry is {text.split()[1][:12]} in it"
        found = DataError(message, remedy="clear the space and fold the log anew")
    elif text.startswith("LOST "):
        counted, there = text.split()[1:3]
        message = f"the index in {shown} holds {there} elements, but tells of {counted}: keys were evicted or deleted"
        found = NotReadyError(message, remedy=ANEW)
    elif text.startswith("WRONGTYPE"):
        message = f"{shown} keeps something else under the keys of this space ({text})"
        found = DataError(message, remedy="set another prefix")
    return found


def is_older(server: dict[str, str]) -> bool:
    """Whether a server's ``INFO`` tells a version before ``LEAST``; what is no version is not."""
    numbers = re.fullmatch(r"(\d+)\.(\d+).*", server.get("redis_version", ""))
    return numbers is not None and (int(numbers[1]), int(numbers[2])) < LEAST


def lacks_vector_sets(error: exceptions.RedisError) -> bool:
    """Whether the server does not know the commands of vector sets, or not as we ask."""
    text = str(error).lower()
    unknown = ("unknown" in text and "command" in text) or "syntax error" in text
    return isinstance(error, exceptions.ResponseError) and unknown
