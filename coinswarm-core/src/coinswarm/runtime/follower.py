"""``coinswarm run follower``: a follower of a quorum's log as a process, with plugins to tell, or metrics, or both."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import anyio

from coinswarm.errors import NotReadyError
from coinswarm.runtime import metrics
from coinswarm.runtime.following import Follower
from coinswarm.runtime.making import listeners, make_backend
from coinswarm.runtime.swarm.assembly import place_of, until_told
from coinswarm.runtime.swarm.opening import disks_of, opened_bus, opened_store, roster_of
from coinswarm.runtime.swarm.telling import Teller

if TYPE_CHECKING:
    from coinswarm.config.swarm import SwarmProfile
    from coinswarm.runtime.swarm.assembly import Say

HOOK = "coinswarm_proposal_decided"


async def run_follower(profile: SwarmProfile, *, label: str, say: Say, measured: str | None) -> None:
    """Tell the profile's plugins what its quorum decides, until told to stop (SIGINT, SIGTERM).

    :param label: what messages call the profile.
    :param measured: where metrics are read, as ``PORT`` or ``HOST:PORT``; None: nowhere.
    :raises KeyboardInterrupt: after SIGINT.
    :raises HaltedError: when a person must look.
    :raises CoinswarmError: for whatever stands in the way.
    """
    section, roster = profile.swarm, roster_of(profile.swarm)
    plugins, tell = listeners(profile.plugins, HOOK)
    if measured is None and not plugins:
        message = f"no plugin in plugins of {label} implements {HOOK}"
        raise NotReadyError(message, remedy="name one, or measure with --metrics PORT")
    at = None if measured is None else metrics.address(measured)
    named, backend = profile.memory, None
    if named is not None and at is not None:
        backend = make_backend(profile.plugins, named.backend, named.settings, key="memory.settings", label=label)
    teller = Teller("follower", say)
    async with (
        opened_store(section, roster, teller, founds=False) as store,
        opened_bus(profile, label, teller) as bus,
    ):
        follower = Follower(
            place_of(section, roster, bus, store),
            tell,
            disks_of(section) / "follower.json",
            teller,
            coordinators=section.coordinators,
            backend=backend,
        )
        does = f"follows {section.cluster}/{section.shard}"
        if plugins:
            does += f" and tells {', '.join(plugins)}"
        try:
            with nullcontext() if at is None else metrics.serving(*at, lambda: follower.seen) as port:
                if port is not None and at is not None:
                    does += f"; metrics are at http://{at[0]}:{port}/metrics"
                await until_told(follower.run, teller, does)
        finally:
            if backend is not None:
                with anyio.move_on_after(1, shield=True):
                    await backend.close()
