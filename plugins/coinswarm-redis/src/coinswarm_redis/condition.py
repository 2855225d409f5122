"""How a server is doing, by what it says of itself."""

from __future__ import annotations

from coinswarm.domain.health import Condition, Health

SECTIONS = ("server", "memory", "replication")
"""Of the server's ``INFO``."""


def condition(said: dict[str, str], shown: str) -> Health:
    """Whether a server that has vector sets can be written to, and keeps what it was told.

    :param said: what ``SECTIONS`` say.
    :param shown: the server, for the reason.
    """
    if said.get("role", "master") != "master":
        return Health(
            Condition.IMPAIRED, f"{shown} is a replica, which recalls and takes nothing in: name the master in url"
        )
    most, policy = int(said.get("maxmemory", "0")), said.get("maxmemory_policy", "noeviction")
    if most and policy.startswith("allkeys"):
        reason = f"{shown} throws keys away when it is full: set maxmemory-policy to noeviction"
        return Health(Condition.IMPAIRED, reason)
    used = int(said.get("used_memory", "0")) - int(said.get("mem_not_counted_for_evict", "0"))
    if most and used >= most:
        reason = f"{shown} is full ({used:,} of {most:,} bytes), and takes nothing in: give it more memory (maxmemory)"
        return Health(Condition.IMPAIRED, reason)
    return Health(Condition.GOOD)
