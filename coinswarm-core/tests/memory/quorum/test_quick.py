"""The quick way tells what the long way tells, and tells nothing that the long way refuses."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from coinswarm.canonical import Spelled, canonical_json, digest
from coinswarm.domain.episode import Episode
from coinswarm.domain.proposal import AddEpisode, AddEpisodes, Proposal, ProposalKind, Reference, episodes_of, several
from coinswarm.memory.quorum import codec, forms, quick
from coinswarm.memory.quorum.records import Ballot, Envelope, Head

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[bytes, str], Envelope | Ballot | None]

NAMES = some.sampled_from(["trend", "mean-rev", "a/b.2"])
WHOLES = some.integers(-(2**63), 2**63 - 1)
COUNTS = some.integers(0, 2**63 - 1)
DIGESTS = some.integers(0, 3).map(digest)
LINES = some.sampled_from(["BTC/USD", "Öl", 'a "b"', "a\\b", "\x7f", "a\tb"])
REFERENCES = some.builds(Reference, place=NAMES, digest=DIGESTS)
EPISODES = some.builds(
    Episode,
    id=DIGESTS, agent=NAMES, instrument=LINES, side=some.sampled_from([1, -1]), decided_ns=some.just(5),
    known_ns=some.integers(5, 2**63 - 1), result_ppm=WHOLES, risk_ppm=COUNTS, stopped=some.booleans(),
    regime=some.sampled_from(["", "calm"]), quality_bp=some.integers(0, 10_000),
)  # fmt: skip
REMEMBERED = some.builds(
    AddEpisode, space=NAMES, dimension=some.integers(1, 400), episode=EPISODES, vector_digest=DIGESTS, trade=REFERENCES
)
PROPOSALS = some.builds(
    Proposal,
    kind=some.just(ProposalKind.ADD_EPISODE), subject=NAMES, base_version=COUNTS, evidence=some.tuples(REFERENCES),
    change=REMEMBERED,
)  # fmt: skip
SEVERAL = some.builds(
    Proposal,
    kind=some.just(ProposalKind.ADD_EPISODES), subject=NAMES, base_version=some.just(0),
    change=some.builds(
        AddEpisodes,
        episodes=some.lists(REMEMBERED, min_size=1, max_size=4, unique_by=lambda one: one.episode.id).map(tuple),
    ),
)  # fmt: skip
REMEMBERING = some.builds(
    Envelope,
    cluster=LINES, shard=NAMES, roster=WHOLES, submitter=NAMES, nonce=WHOLES, deadline_ns=WHOLES,
    proposal=some.one_of(PROPOSALS, SEVERAL), signature=some.just("5a"),
)  # fmt: skip
BALLOTS = some.builds(
    Ballot,
    cluster=LINES, shard=NAMES, roster=WHOLES, proposal=DIGESTS, accepts=some.booleans(), findings=DIGESTS, voter=NAMES,
    seen=some.builds(Head, WHOLES, DIGESTS), signature=some.just("5a"),
)  # fmt: skip


def plain(envelope: Envelope) -> dict[str, object]:
    """The body of an envelope as a mapping: what its bytes say, made without them."""
    told = {field.name: getattr(envelope, field.name) for field in fields(envelope) if field.name != "signature"}
    return {**told, "schema": "coinswarm.proposal/1", "proposal": envelope.proposal.content()}


def the_long_way(body: bytes) -> Envelope | Ballot | None:
    """What the strict reader makes of the bytes of an envelope or a ballot; None where it refuses them."""
    for told in (codec.envelope_told, codec.ballot_told):
        try:
            return told(codec.read_json(body), "5a", body)
        except codec.MalformedError:
            pass
    return None


def fits(*values: str | int) -> bool:
    """Whether values are written as they are, in ASCII and at most 18 digits."""
    return all(
        value.isascii() and value.isprintable() and not set(value) & set('\\"')
        if isinstance(value, str)
        else abs(value) < 10**18
        for value in values
    )


@given(REMEMBERING)
def test_an_envelope_is_written_and_read_as_the_long_way_does(envelope: Envelope) -> None:
    body = replace(envelope).body
    assert body == canonical_json(plain(envelope))
    assert the_long_way(body) == envelope
    found = quick.envelope(body, "5a")
    assert found in (None, envelope)
    if found is not None:
        assert found.body == replace(found).body == body
        assert found.id == envelope.id
        assert json.loads(body) == plain(found)


@given(REMEMBERING)
def test_the_commonest_envelopes_are_read_quickly(envelope: Envelope) -> None:
    told = [
        value
        for change in episodes_of(envelope.proposal.change)
        for value in (
            change.episode.instrument, change.episode.known_ns, change.episode.result_ppm, change.episode.risk_ppm,
        )
    ]  # fmt: skip
    numbers = (envelope.roster, envelope.nonce, envelope.deadline_ns, envelope.proposal.base_version)
    if fits(envelope.cluster, *told, *numbers):
        assert quick.envelope(envelope.body, "5a") == envelope


@given(BALLOTS)
def test_a_ballot_is_written_and_read_as_the_long_way_does(ballot: Ballot) -> None:
    body = ballot.body
    told = {
        "schema": "coinswarm.ballot/1", "cluster": ballot.cluster, "shard": ballot.shard, "roster": ballot.roster,
        "proposal": ballot.proposal, "verdict": "ACCEPT" if ballot.accepts else "REJECT", "findings": ballot.findings,
        "voter": ballot.voter, "seen_index": ballot.seen.index, "seen_hash": ballot.seen.hash,
    }  # fmt: skip
    assert body == canonical_json(told)
    assert the_long_way(body) == ballot
    found = quick.ballot(body, "5a")
    assert found == (ballot if fits(ballot.cluster, ballot.roster, ballot.seen.index) else found)
    assert found in (None, ballot)


BALLOT = Ballot(
    cluster="north", shard="main", roster=0, proposal=digest(1), accepts=False, findings=digest(2), voter="v0",
    seen=Head(3, digest(3)), signature="5a",
)  # fmt: skip
SAMPLE = Envelope(
    cluster="north", shard="main", roster=0, submitter="desk", nonce=7, deadline_ns=1_900_000_000_000_000_000,
    signature="5a",
    proposal=Proposal(
        kind=ProposalKind.ADD_EPISODE, subject=f"episode/{digest('e')}", base_version=0,
        change=AddEpisode(
            space="trend/state.1", dimension=8, vector_digest=digest("v"), trade=Reference("trade/a", digest("a")),
            episode=Episode(
                id=digest("e"), agent="trend", instrument="BTC/USD", side=-1, decided_ns=5, known_ns=7, result_ppm=-3,
            ),
        ),
        evidence=(Reference("trade/a", digest("a")),),
    ),
)  # fmt: skip

TOGETHER = replace(
    SAMPLE,
    proposal=several(
        tuple(
            replace(change, episode=replace(change.episode, id=digest(number)))
            for change in episodes_of(SAMPLE.proposal.change)
            for number in range(3)
        )
    ),
)


@pytest.mark.parametrize(
    ("good", "read"), [(SAMPLE, quick.envelope), (TOGETHER, quick.envelope), (BALLOT, quick.ballot)]
)
@given(data=some.data())
def test_what_the_long_way_refuses_is_never_told(good: Envelope | Ballot, read: Read, data: some.DataObject) -> None:
    body = good.body
    assert read(body, "5a") == good
    place = data.draw(some.integers(0, len(body) - 1))
    wide = data.draw(some.integers(0, 3))
    put = data.draw(some.sampled_from([b"", b"0", b"-", b"9", b'"', b"\\", b" ", b"1.0", b"e3", b"\xc3\xa9", b"\x00"]))
    bad = body[:place] + put + body[place + wide :]
    found = read(bad, "5a")
    assert found is None or found == the_long_way(bad)
    assert found is None or found.body == bad


@pytest.mark.parametrize(
    "body",
    [
        SAMPLE.body.replace(b'"known_ns":7', b'"known_ns":3'),
        SAMPLE.body.replace(b'"quality_bp":10000', b'"quality_bp":10001'),
        SAMPLE.body.replace(b'"side":-1', b'"side":2'),
        SAMPLE.body.replace(b'"nonce":7', b'"nonce":07'),
        SAMPLE.body.replace(b'"nonce":7', b'"nonce":-0'),
        SAMPLE.body.replace(b'"nonce":7', b'"nonce":9223372036854775808'),
        SAMPLE.body.replace(b'"north"', b'"\xff"'),
        SAMPLE.body.replace(b'"claims":[]', b'"claims":[{"value_ppm":1,"what":"a"}]'),
        BALLOT.body,
        TOGETHER.body.replace(b'"known_ns":7', b'"known_ns":3', 1),
        TOGETHER.body.replace(digest(1).encode(), digest(2).encode()),
        TOGETHER.body.replace(b'"base_version":0', b'"base_version":1'),
        TOGETHER.body.replace(b'"evidence":[]', b'"evidence":[{"digest":"%b","place":"a"}]' % digest(1).encode()),
        TOGETHER.body.replace(b"},{", b"}, {", 1),
        TOGETHER.body.replace(b"},{", b"},,{", 1),
        TOGETHER.body.replace(b"},{", b"}{", 1),
        TOGETHER.body.replace(b"}]}", b"},]}", 1),
        TOGETHER.body.replace(b'"episodes":[', b'"episodes":[],"episodes":['),
        TOGETHER.body.replace(b'"episodes":[', b'"episodes":[]},"claims":[],"evidence":[],"x":['),
        replace(TOGETHER, proposal=replace(TOGETHER.proposal, evidence=SAMPLE.proposal.evidence)).body,
    ],
)
def test_what_fits_no_form_is_left_to_the_long_way(body: bytes) -> None:
    assert quick.envelope(body, "5a") is None


def test_a_ballot_says_yes_or_no() -> None:
    assert quick.ballot(BALLOT.body.replace(b"REJECT", b"ABSTAIN"), "5a") is None
    with pytest.raises(codec.MalformedError, match="ABSTAIN"):
        codec.ballot_from(BALLOT.body.replace(b"REJECT", b"ABSTAIN"), "5a")


def test_only_the_last_are_kept_and_only_for_the_same_bytes() -> None:
    kept = quick.Lately[Envelope](2)
    made = [replace(SAMPLE, nonce=nonce, signature=f"5{nonce}") for nonce in range(3)]
    for one in made:
        assert kept.find(one.body, one.signature) is None
        assert kept.keep(one) is one
    assert [kept.find(one.body, one.signature) for one in made] == [None, *made[1:]]
    assert kept.find(made[1].body, made[2].signature) is None
    assert kept.find(made[2].body + b" ", made[2].signature) is None
    long = [replace(SAMPLE, cluster="n" * size, signature=f"6{size}") for size in (10_000, 10_001, 140_000)]
    for one in long:
        assert kept.keep(one) is one
    assert [kept.find(one.body, one.signature) for one in long] == [None, long[1], None], "few that are long"
    assert kept.find(made[2].body, made[2].signature) is made[2]


def test_a_record_is_read_once() -> None:
    body = replace(SAMPLE, nonce=123_456).body
    first = codec.envelope_from(body, "c0")
    assert codec.envelope_from(bytes(bytearray(body)), "c0") is first
    assert codec.envelope_from(body, "c1") == replace(first, signature="c1")
    ballot = codec.ballot_from(BALLOT.body, "c0")
    assert codec.ballot_from(bytes(bytearray(BALLOT.body)), "c0") is ballot


def test_a_form_spells_what_is_not_plain_too() -> None:
    form = forms.Form('{"a":<text>,"b":<whole>}')
    assert form.write((ProposalKind.CONFIGURE, 5)) == b'{"a":"configure","b":5}'
    assert form.read(b'{"a":"configure","b":5}') == ("configure", "5")
    with pytest.raises(TypeError, match="float"):
        form.write(("a", 1.5))
    with pytest.raises(ValueError, match="surrogates"):
        form.write(("\ud800", 1))


def test_a_list_is_read_to_its_end() -> None:
    form = forms.Form('{"a":<whole>}')
    assert form.read_each('{"a":1},{"a":-2}') == [("1",), ("-2",)]
    for items in ("", '{"a":1},', ',{"a":1}', '{"a":1}{"a":2}', '{"a":1},{"b":2}', '{"a":1}]', '{"a":01}'):
        assert form.read_each(items) is None


def test_a_part_that_is_spelled_already_stays_so_beside_what_is_not_plain() -> None:
    form = forms.Form('{"a":<list>,"b":<whole>}')
    assert form.write((Spelled("[1,2]"), np.int64(5))) == b'{"a":[1,2],"b":5}'
