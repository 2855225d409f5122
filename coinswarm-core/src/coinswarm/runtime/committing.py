"""A session whose episodes a swarm decides on: trades become facts of its store, and proposals to its quorum (S21).

The session waits for each decision before it decides itself, so that a replay recalls the same however fast the quorum
is. It remembers what was accepted and nothing else.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol
from typing import cast as typed

from coinswarm.config.swarm import SwarmProfile
from coinswarm.domain.episode import Space
from coinswarm.domain.proposal import episodes_of
from coinswarm.engine.events import Event
from coinswarm.errors import DataError, InvariantError
from coinswarm.memory.quorum.fold import advance
from coinswarm.memory.quorum.records import Outcome
from coinswarm.memory.recall.estimate import outcome_of
from coinswarm.memory.recall.privatelog import PrivateLog, Remembered, proposed
from coinswarm.runtime.fork import BATCH, read_fork
from coinswarm.runtime.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

    from coinswarm.config.profile import Profile
    from coinswarm.domain.episode import Episode
    from coinswarm.domain.proposal import AddEpisode, Proposal
    from coinswarm.memory.evidence.gather import Gatherer
    from coinswarm.memory.quorum.fold import Fold
    from coinswarm.memory.quorum.keys import Scheme
    from coinswarm.memory.quorum.records import Entry
    from coinswarm.memory.recall.episodes import Traded
    from coinswarm.memory.store.opening import Store
    from coinswarm.ports import MessageBus
    from coinswarm.runtime.fork import Forked
    from coinswarm.runtime.swarm.desk import Ended
    from coinswarm.runtime.swarm.embedded import Cast


@contextmanager
def decided(
    portal: BlockingPortal, profile: Profile, label: str, spaces: Collection[str], say: Callable[[str], None]
) -> Iterator[tuple[SwarmLog, Forked]]:
    """The log of a profile's ``[swarm]``, as a session uses it, and what was accepted before.

    Without a bus between processes the whole quorum runs here; with one, only who proposes.

    :param label: what messages call the profile.
    :param spaces: names of those that the session recalls in.
    :param say: is handed a line at a time of what people should know.
    :raises CoinswarmError: for whatever stands in the way.
    """
    from coinswarm.memory.evidence.gather import Gatherer  # noqa: PLC0415 - SQLAlchemy, for who has a log
    from coinswarm.runtime.swarm import assembly, opening  # noqa: PLC0415 - likewise
    from coinswarm.runtime.swarm.disk import seen_in  # noqa: PLC0415 - likewise

    section = profile.swarm
    assert section is not None, "a session without a swarm remembers by itself"
    roster = opening.roster_of(section)
    patience = Patience(section.patience_seconds, f"the log {section.cluster}/{section.shard}", say, portal)
    bus = profile.drivers.bus
    joins = bus is not None and bus.name != opening.LOCAL
    if joins:
        patience.insist(partial(opening.demand_log, section))
    begin = partial(opening.begun, section, roster, seen_in(opening.disks_of(section)))
    with closing(patience.insist(begin)) as store:
        if joins:
            told = SwarmProfile(swarm=section, plugins=profile.plugins, drivers=profile.drivers)
            fork = patience.insist(partial(read_fork, store, None, spaces))
            assert fork.fold is not None, "it was read"
            assembly.demand_submitter(section, fork.fold)
            joined = assembly.proposing(told, label=label, say=say, patience=patience.seconds)
            with portal.wrap_async_context_manager(joined) as desk:
                yield _log(fork, store, desk, patience, section.deadline_seconds), fork
            return
        cast = assembly.cast_of(section, roster, profile.plugins, label=label)
        gather = Gatherer(store, mode=section.mode, minimum_bp=section.minimum_bp)
        with embedded(
            portal, store, cast, opening.disks_of(section), spaces, say, gather, section.deadline_seconds, patience
        ) as begun:
            yield begun


@contextmanager
def embedded(  # noqa: PLR0913 - the parts of a swarm
    portal: BlockingPortal,
    store: Store,
    cast: Cast,
    folder: Path,
    spaces: Collection[str],
    say: Callable[[str], None],
    gather: Gatherer,
    seconds: float = 30.0,
    patience: Patience | None = None,
) -> Iterator[tuple[SwarmLog, Forked]]:
    """A quorum in this process, in the portal's loop: its log as a session uses it, and what was accepted before.

    :param store: open.
    :param folder: of the parts' disks.
    :param seconds: how long a proposal may take.
    :param patience: with what is away; None: all that it takes.
    :raises NotReadyError: the roster in force has another key for somebody, or no such seat.
    """
    from coinswarm.runtime.making import make_driver  # noqa: PLC0415 - for who has a quorum in this process
    from coinswarm.runtime.swarm.embedded import EmbeddedSwarm  # noqa: PLC0415 - likewise
    from coinswarm.runtime.swarm.seating import demand_seat  # noqa: PLC0415 - likewise

    fork, log = read_fork(store, None, spaces), store.log
    assert fork.fold is not None, "it was read"
    for name, (signer, _) in cast.voters.items():
        demand_seat(fork.fold, name, signer.key, "voter")
    demand_seat(fork.fold, cast.submitter, cast.signer.key, "submitter")
    with ExitStack() as stack:
        made = make_driver("bus", "local", {}, key="drivers.bus.settings", label="the swarm")
        bus = stack.enter_context(portal.wrap_async_context_manager(typed("MessageBus", made)))
        swarm = EmbeddedSwarm(log.cluster, log.shard, cast, folder, bus, log, gather, say)
        stack.enter_context(portal.wrap_async_context_manager(swarm))
        patience = patience or Patience(0, f"the log {log.cluster}/{log.shard}", say, portal)
        yield _log(fork, store, swarm, patience, seconds), fork


def decision(entry: Entry) -> Event:
    """What a watcher is told of an entry of the log."""
    told = {"proposal": entry.envelope.proposal, "outcome": entry.outcome.value, "entry": entry.index}
    return Event("coinswarm_proposal_decided", told)


def _log(fork: Forked, store: Store, proposer: Proposer, patience: Patience, seconds: float) -> SwarmLog:
    """The log from where it was read."""
    from coinswarm.memory.quorum.keys import Ed25519Scheme  # noqa: PLC0415 - cryptography, for who has a log

    assert fork.fold is not None, "it was read"
    return SwarmLog(fork.fold, store, partial(proposer.propose, seconds=seconds), patience, Ed25519Scheme(), seconds)


class Proposer(Protocol):
    """Who proposes and waits: an embedded swarm, or a desk with a way to one."""

    async def propose(self, proposal: Proposal, *, seconds: float) -> Ended:
        """Propose something, and wait for its outcome."""


class SwarmLog(PrivateLog):
    """The swarm's log as a session uses it: reads on from a position, and has episodes decided.

    :param fold: of the log as it was verified so far.
    :param store: of the swarm.
    :param propose: in the loop of the patience's portal.
    :param patience: with a store, or a quorum, that is away.
    :param seconds: until a proposal's deadline.
    """

    def __init__(  # noqa: PLR0913 - what it joins
        self,
        fold: Fold,
        store: Store,
        propose: Callable[[Proposal], Awaitable[Ended]],
        patience: Patience,
        scheme: Scheme,
        seconds: float,
    ) -> None:
        super().__init__(fold.head)
        self._fold, self._store, self._scheme = fold, store, scheme
        self._propose, self._patience, self._seconds = propose, patience, seconds
        self.decisions: list[Event] = []
        """What the log decided since it was begun to be read, as watchers are told."""
        self._accepted: dict[str, tuple[str, str]] = {}
        """Episodes that were accepted since, whoever proposed them: the digests of trade and vector."""
        self._told = self._told_what_holds = False
        self.cluster = store.log.cluster
        self.name = f"{store.log.cluster}/{store.log.shard}"

    def propose(self, space: Space, episode: Episode, vector: bytes, trade: Traded, now_ns: int) -> Remembered:
        """Write the trade down, propose its episode, and wait for what becomes of it.

        :raises CoinswarmError: the store or the quorum cannot be used as it is.
        """
        from coinswarm.memory.store.facts import ClosedTrade  # noqa: PLC0415 - SQLAlchemy, for who has a log

        assert episode.known_ns <= now_ns, "a trade is settled when its outcome is known"
        if (held := self.get(episode.id)) is not None:
            self._tell_what_holds(held, episode)
            return Remembered(self.head, "duplicate", again=True)
        facts, outcome, insist = self._store.facts, trade.outcome, self._patience.insist
        insist(lambda: facts.add_space(Space(self.cluster, space.name, space.dimension)))
        insist(lambda: facts.add_vectors([vector]))
        closed = ClosedTrade(
            episode=episode,
            entry_price=trade.entry_price,
            exit_price=trade.exit_price,
            pnl=outcome.pnl,
            slippage_bps=trade.slippage_bps,
            opened_ns=outcome.opened_ns,
            closed_ns=outcome.closed_ns,
        )
        try:
            insist(lambda: facts.add_trades([closed]))
        except DataError as error:
            self._tell_of_another(error)
            return Remembered(self.head, "another trade")
        wanted = proposed(space, episode, vector)
        ended = self._patience.decided(partial(self._propose, wanted), self._seconds)
        insist(lambda: self._read_to(ended.proposal))
        [asked] = episodes_of(wanted.change)
        # What an earlier session left on its desk's disk, or one beside this one proposed, may have come first: if it
        # is the same episode, it is remembered all the same.
        if ended.outcome is not Outcome.ACCEPT and self._accepted.get(episode.id) != _what(asked):
            return Remembered(self.head, ended.outcome.value)
        self.adopt(episode)
        return Remembered(self.head)

    def _tell_of_another(self, error: DataError) -> None:
        """Say once that a decision's trade was written down by an earlier session, which was sized otherwise."""
        if not self._told:
            self._told = True
            self._patience.say(
                f"{error}: an earlier session wrote that down, and it was not accepted; trades are written once, so "
                "this one is not remembered, nor are more like it (they count as refused)"
            )

    def _tell_what_holds(self, held: Episode, own: Episode) -> None:
        """Say once that a decision is remembered with what came of it in an earlier session, at other costs say."""
        then, now = (f"{outcome_of(one):+.2f} R" for one in (held, own))
        if then != now and not self._told_what_holds:
            self._told_what_holds = True
            self._patience.say(
                f"trade/{own.id[:12]} of {own.agent} is remembered with {then}, as an earlier session had it accepted, "
                f"and this one earned {now}: recall and sizing go by what is remembered, here and in all cases like it"
            )

    def _read_to(self, proposal: str) -> None:
        """Verify the log up to the entry that decides a proposal."""
        while proposal not in self._fold.decided:
            entries = self._store.log.read(0, self._fold.head.index, BATCH).entries
            if not entries:
                message = f"proposal {proposal[:12]} was decided, and the log of {self.cluster} does not say so"
                raise InvariantError(message)
            for entry in entries:
                self._fold = advance(self._fold, entry, self._scheme)
                if entry.outcome is Outcome.ACCEPT:
                    for each in episodes_of(entry.envelope.proposal.change):
                        self._accepted[each.episode.id] = _what(each)
                self.decisions.append(decision(entry))
                if entry.envelope.id == proposal:
                    break
        self.head = self._fold.head


def _what(change: AddEpisode) -> tuple[str, str]:
    """What makes an episode that one: its trade with all its numbers, and its vector."""
    return change.trade.digest, change.vector_digest
