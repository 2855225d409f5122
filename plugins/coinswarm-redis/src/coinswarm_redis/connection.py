"""The connections to Redis: made from the settings, their errors in Coinswarm's words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from redis import exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from coinswarm.errors import (
    AmbiguousError,
    CoinswarmError,
    DataError,
    NotReadyError,
    ProfileError,
    RetryableError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coinswarm_redis.settings import RedisSettings

T = TypeVar("T")

NEEDED = "Redis 8.0 or later, which has vector sets"


class Patience(Retry):
    """Tries again where a connection broke; who is refused by name is not let in by knocking again."""

    async def call_with_retry(  # type: ignore[override] # options differ by the client's version
        self,
        do: Callable[[], Awaitable[T]],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> T:
        """As the client's own, which knows no exception to a kind of error."""

        def worth(error: Exception) -> bool:
            refused = isinstance(error, exceptions.AuthenticationError)
            return not refused and (is_retryable is None or bool(is_retryable(error)))

        return await super().call_with_retry(do, fail, worth, **options)


class Client:
    """A client with a pool of its own, and as many calls under way as there may be connections; more wait.

    redis-py's own pool that lets calls wait takes a lock and a timer for each of them. It connects at its first call.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self.redis = _connected(settings)
        self._places = asyncio.Semaphore(settings.connections)
        self._patience = settings.answer_seconds

    async def call(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """What some work with the client answers.

        :raises exceptions.RedisError: it failed, or too many others are under way for too long.
        """
        if self._places.locked():
            try:
                async with asyncio.timeout(self._patience):
                    await self._places.acquire()
            except TimeoutError:
                message = "No connection was free"
                raise exceptions.ConnectionError(message) from None
        else:
            await self._places.acquire()
        try:
            return await work(self.redis)
        finally:
            self._places.release()

    async def close(self) -> None:
        """Let go of the connections."""
        await self.redis.aclose()
        await self.redis.connection_pool.disconnect()


def _connected(settings: RedisSettings) -> Redis:
    """The client, not connected yet."""
    options: dict[str, Any] = {}
    if settings.username:
        options["username"] = settings.username
    if settings.password is not None:
        options["password"] = settings.password.get_secret_value()
    if settings.ca_file is not None:
        options["ssl_ca_certs"] = str(settings.ca_file)
    if settings.certificate_file is not None:
        options |= {"ssl_certfile": str(settings.certificate_file), "ssl_keyfile": str(settings.key_file)}
    pool = ConnectionPool.from_url(
        settings.url,
        max_connections=settings.connections,
        socket_connect_timeout=settings.connect_seconds,
        socket_timeout=settings.answer_seconds,
        client_name="coinswarm",
        protocol=2,  # one form of answers, whatever the client's default
        retry=Patience(ExponentialBackoff(cap=1.0, base=0.05), settings.retries, (exceptions.ConnectionError,)),
        **options,
    )
    return Redis(connection_pool=pool)


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
    if wrote and not _never_sent(error, text):
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
    elif text.startswith("WRONGTYPE"):
        message = f"{shown} keeps something else under the keys of this space ({text})"
        found = DataError(message, remedy="set another prefix")
    return found


def lacks_vector_sets(error: exceptions.RedisError) -> bool:
    """Whether the server does not know the commands of vector sets."""
    text = str(error).lower()
    return isinstance(error, exceptions.ResponseError) and "unknown" in text and "command" in text


def _never_sent(error: exceptions.RedisError, text: str) -> bool:
    """Whether the connection was never made."""
    return isinstance(error, exceptions.ConnectionError) and ("connecting to" in text or "No connection" in text)
