"""How commands over the keys of a space begin, and what they are told: packed once for all calls."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from coinswarm_redis.connection import Begin, command
from coinswarm_redis.fields import keys
from coinswarm_redis.scripts import DIGESTS

if TYPE_CHECKING:
    from coinswarm.domain.episode import LogPosition, Space


@lru_cache(maxsize=1_024)
def script(text: str, prefix: str, space: Space) -> Begin:
    """How the command begins that runs a script over the keys of a space."""
    names = keys(prefix, space)
    return Begin.of("EVALSHA", DIGESTS[text], len(names), *names)


@lru_cache(maxsize=1_024)
def search(prefix: str, space: Space) -> tuple[tuple[bytes, bytes], Begin]:
    """What a search of a space asks before: of what was applied, and how many there are; and how it begins."""
    key, meta, *_ = keys(prefix, space)
    before = (command("HMGET", meta, "episodes", "index", "latest", "kept"), command("VCARD", key))
    return before, Begin.of("VSIM", key, "FP32")


def place(at: LogPosition | None) -> tuple[str, str]:
    """A log position as scripts take it."""
    return ("", "") if at is None else (str(at.index), at.digest)
