"""Cores with one promise taken out: the simulator must notice each, or it would notice nothing."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from coinswarm.domain.proposal import Proposal
from coinswarm.memory.quorum import (
    codec,
    docket,
    fold,
    inmemory,
    log,
    projection,
    proof,
    quick,
    reader,
    ruling,
    submitter,
    verify,
    voter,
)
from coinswarm.memory.quorum.messages import Keep, Send
from coinswarm.memory.quorum.roster import Roster
from coinswarm.memory.quorum.ruling import Standing
from coinswarm.memory.quorum.sizes import quorum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from coinswarm.memory.quorum.docket import Case
    from coinswarm.memory.quorum.messages import Vote
    from coinswarm.memory.quorum.records import Ballot


@dataclass(frozen=True, slots=True)
class Mutant:
    """One promise broken.

    :param catches: the invariants of which at least one must be reported violated.
    :param patches: (object, attribute, what stands there instead).
    """

    name: str
    catches: tuple[str, ...]
    patches: tuple[tuple[object, str, object], ...]

    @contextmanager
    def active(self) -> Iterator[None]:
        """Take the promise out while the block lasts."""
        with ExitStack() as stack:
            for place, attribute, instead in self.patches:
                stack.enter_context(patch.object(place, attribute, instead))
            yield


def _is_valid_unsigned(ballot: Any, envelope: Any, roster: Any, scheme: Any) -> bool:  # noqa: ANN401, ARG001 - as proof's
    """As ``proof.is_valid``, but whoever says that he is a voter is one."""
    return ballot.voter in roster.voter_keys and ballot.proposal == envelope.id and ballot.roster == roster.version


def _choose_by_ballot(ballots: Any, roster: Any, hash_at: Any) -> tuple[Ballot, ...]:  # noqa: ANN401 - any ballots
    """As ``proof.choose``, without asking whose the ballots are."""
    ballots = [ballot for ballot in ballots if proof.agrees(ballot.seen, hash_at)]
    counts = Counter(ballot.matter for ballot in ballots)
    for matter, most in counts.most_common(1):
        if most >= roster.quorum:
            return tuple(ballot for ballot in ballots if ballot.matter == matter)[: roster.quorum]
    return ()


def _collect_every(case: Case, ballot: Ballot) -> tuple[Case, tuple[()]]:
    """As ``docket.collect``, with a place for each ballot instead of one for each voter."""
    return case._replace(ballots={**case.ballots, f"{ballot.voter} {ballot.signature}": ballot}), ()


def _hear_every(held: Any, vote: Vote) -> Any:  # noqa: ANN401 - as docket.hear
    """As ``docket.hear``, without asking whether the voter was heard before."""
    held, case = docket.admit(held, vote.envelope)
    judges = held.fold.judges(vote.envelope)
    if case is None or judges is None or not proof.is_valid(vote.ballot, case.envelope, judges, held.scheme):
        return held, None, ()
    held, case = docket.put(held, _collect_every(case, vote.ballot)[0])
    return held, case, ()


def _proves_by_ballot(ballots: Any, envelope: Any, roster: Any, scheme: Any) -> bool:  # noqa: ANN401 - any ballots
    return len(ballots) >= roster.quorum and all(proof.is_valid(one, envelope, roster, scheme) for one in ballots)


def _collect_first(case: Case, ballot: Ballot) -> tuple[Case, tuple[()]]:
    """As ``docket.collect``, but whoever says two things is believed the first."""
    known = case.ballots.get(ballot.voter)
    return (case if known is not None else case._replace(ballots={**case.ballots, ballot.voter: ballot})), ()


def _evaluated_and_sent(state: Any, event: Any) -> Any:  # noqa: ANN401 - as voter._evaluated
    """As a voter does, but sent before it is written down."""
    state, effects = _EVALUATED(state, event)
    return state, (*effects, *(Send(effect.message) for effect in effects if isinstance(effect, Keep)))


_EVALUATED = voter._evaluated  # noqa: SLF001 - taken out below
_START = voter.start
_READ = reader.read


def _start_forgetful(*given: Any, **kept: Any) -> Any:  # noqa: ANN401 - as voter.start
    """As a voter starts, but with nothing of what it voted."""
    return _START(*given, **{**kept, "kept": ()})


def _read_blindly(state: Any, answer: Any, local_ns: int, scheme: Any) -> Any:  # noqa: ANN401 - as reader.read
    """As a reader reads, but follows wherever the log goes, back too."""
    found = _READ(state, answer, local_ns, scheme)
    return state._replace(log_ns=answer.now_ns, local_ns=local_ns) if found.halted else found


def _ruling_without_version(envelope: Any, standing: Any, at_ns: int, *, verdict: bool | None) -> Any:  # noqa: ANN401
    """As ``ruling``, whatever version is in force."""
    standing = standing._replace(version=envelope.proposal.base_version)
    return ruling.ruling(envelope, standing, at_ns, verdict=verdict)


def _hasty(held: Any, local_ns: int, epoch: int) -> Any:  # noqa: ANN401 - as docket.press
    """As ``press``, but only the holder of the lease ever asks."""
    return _PRESS(held, local_ns, epoch) if epoch else (held, ())


def _version_of_first(proposal: Proposal, versions: Callable[[Sequence[str]], Iterable[int]]) -> int:
    """As ``ruling.version_of``, of the first subject."""
    return max(versions(proposal.subjects[:1]), default=0)


def _change_first(held: Any, envelope: Any, version: int, roster: Any) -> None:  # noqa: ANN401 - as Transaction's
    """As a database changes the state, but of several subjects only the first."""
    with patch.object(Proposal, "subjects", envelope.proposal.subjects[:1]):
        _CHANGE(held, envelope, version, roster)


_PRESS = docket.press
_TRANSACTION = inmemory._MemoryTransaction  # noqa: SLF001 - the database whose promises are taken out
_CHANGE = _TRANSACTION.change_state


def _insert_always(held: Any, proposal: str, outcome: Any, index: int) -> bool:  # noqa: ANN401 - as Transaction's
    held._rows.decisions[proposal] = (outcome, index)  # noqa: SLF001 - as above
    return True


def _move_sometimes(held: Any, head: Any, at_ns: int) -> None:  # noqa: ANN401 - as Transaction's
    if head.index % 3:
        held._set("head", head)  # noqa: SLF001 - as above
        held._set("head_ns", at_ns)  # noqa: SLF001 - as above


def _forgetting() -> tuple[tuple[object, str, object], ...]:
    """What was read lately, apart from what others read: a mutant of reading leaves nothing behind."""
    return (codec, "_ENVELOPES", quick.Lately(64)), (codec, "_BALLOTS", quick.Lately(64))


MUTANTS = (
    Mutant(
        "no primary key",
        ("I1",),
        ((_TRANSACTION, "insert_decision", _insert_always), (_TRANSACTION, "decision", lambda held, proposal: None)),
    ),
    Mutant("no signature check", ("I2",), ((proof, "is_valid", _is_valid_unsigned),)),
    Mutant(
        "quorum one too small",
        ("I2",),
        ((Roster, "quorum", property(lambda roster: quorum(len(roster.voters), roster.faulty) - 1)),),
    ),
    Mutant(
        "ballots counted, not voters",
        ("I2",),
        (
            (docket, "hear", _hear_every),
            (proof, "choose", _choose_by_ballot),
            (log, "proves", _proves_by_ballot),
        ),
    ),
    Mutant("equivocation not handled", ("I2",), ((docket, "collect", _collect_first),)),
    Mutant(
        "anybody may propose",
        ("I2",),
        tuple((place, "submitted", lambda envelope, roster, scheme: True) for place in (proof, log, fold)),
    ),
    Mutant(
        "a nonce may be used again",
        ("I1",),
        ((_TRANSACTION, "is_spent", lambda held, use: False), (Standing, "spent", property(lambda standing: False))),
    ),
    Mutant("no rollback", ("I3",), ((_TRANSACTION, "undo", lambda held: None),)),
    Mutant("head moved outside", ("I4",), ((_TRANSACTION, "move_head", _move_sometimes),)),
    Mutant("no version check", ("I5",), ((log, "ruling", _ruling_without_version),)),
    Mutant(
        "of several only the first judged",
        ("I5",),
        ((log, "version_of", _version_of_first), (fold, "version_of", _version_of_first)),
    ),
    Mutant("of several only the first changed", ("I3",), ((_TRANSACTION, "change_state", _change_first),)),
    Mutant("no fence", ("I6",), ((log, "is_fenced", lambda envelope, outcome: False),)),
    Mutant(
        "forgetful voter", ("I7",), ((voter, "_evaluated", _evaluated_and_sent), (voter, "start", _start_forgetful))
    ),
    Mutant(
        "index trusts its place",
        ("I8",),
        (
            (projection, "must_rebuild", lambda applied, fold: applied is None),
            (projection, "applicable", lambda applied, entries: tuple(entries)),
        ),
    ),
    Mutant("no memory of the head", ("I9",), ((docket, "read", _read_blindly),)),
    Mutant("seals not looked at", ("I9",), ((verify, "_broken", lambda fold, seal, scheme: ""),)),
    Mutant("chain not followed", ("I9",), ((fold, "_out_of_line", lambda state, entry: ""),)),
    Mutant("nobody takes over", ("I10",), ((docket, "press", _hasty),)),
    Mutant("nothing is sent again", ("I10",), ((submitter, "FIRST_NS", 10**18),)),
    Mutant("what is read may be anything", ("I10",), ((codec, "_HEADS", {}), *_forgetting())),
    Mutant("a proposal may fill a message", ("I10",), ((codec, "BODY_LIMIT", codec.LIMIT), *_forgetting())),
    Mutant("a plurality is enough", ("I11",), ((Roster, "quorum", property(lambda roster: 1)),)),
)
"""Each with the invariants that must show it."""
