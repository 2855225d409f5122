"""Facts are written once: the same again changes nothing, another is refused, and what is read is what was told."""

from __future__ import annotations

import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from decimal import Decimal
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from coinswarm.canonical import digest, sha256
from coinswarm.clock import HOUR_NS
from coinswarm.domain.episode import Episode, Space
from coinswarm.errors import AmbiguousError, DataError, InvariantError, UnreachableError
from coinswarm.memory.evidence.places import trade_links, upto
from coinswarm.memory.store.engine import engine_of, place
from coinswarm.memory.store.facts import ClosedTrade, cite_trade
from coinswarm.memory.store.models import Regime, Trade, TradePattern
from coinswarm.memory.store.opening import migrated, open_store
from coinswarm.memory.store.statement import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memory.quorum.conftest import Cluster
    from sqlalchemy import Connection

    from coinswarm.domain.proposal import Reference
    from coinswarm.memory.store.opening import Store


def closed(number: int, *patterns: str) -> ClosedTrade:
    """A closed trade."""
    episode = Episode(
        id=digest(number), agent="trend", instrument="BTC/USD", side=1 if number % 2 else -1, decided_ns=number,
        known_ns=number + 10, result_ppm=number * 1_000 - 3_000, risk_ppm=5_000, stopped=number % 3 == 0, regime="calm",
    )  # fmt: skip
    return ClosedTrade(
        episode=episode, entry_price=Decimal("0.10"), exit_price=Decimal("1E+2"), pnl=-(2**62), slippage_bps=number,
        opened_ns=number + 1, closed_ns=number + 9, patterns=patterns,
    )  # fmt: skip


def test_a_trade_is_written_once_and_read_as_it_was(stored: Store) -> None:
    one, two = closed(1, "breakout", "squeeze"), closed(2)
    references = stored.facts.add_trades([one, two])
    assert references == (cite_trade(one.episode), cite_trade(two.episode))
    assert stored.facts.add_trades([two, closed(3), one])[0] == references[1]
    with stored.facts.reader() as read:
        assert read.trades(references[0].place) == (one.episode,)
        assert read.trades(f"trade/{digest(9)}") == ()
    with Session(stored.engine) as session:
        row = session.scalars(select(Trade).where(Trade.id == one.episode.id)).one()
        assert (row.entry_price, row.exit_price, row.pnl, row.slippage_bps) == ("0.1", "100", -(2**62), 1)
        assert row.pattern_ids == ("breakout", "squeeze")
        assert (row.entry_time, row.exit_time) == (2, 10)


def test_another_trade_under_the_same_id_is_refused_and_nothing_is_written(stored: Store) -> None:
    one = closed(1, "breakout")
    stored.facts.add_trades([one])
    other = replace(one, pnl=7)
    with pytest.raises(DataError, match=rf"trade {one.episode.id} is there already, with the pnl -\d+ instead of 7"):
        stored.facts.add_trades([closed(2), other])
    with pytest.raises(DataError, match="is there already, with other patterns"):
        stored.facts.add_trades([closed(2), replace(one, patterns=("squeeze",))])
    with stored.facts.reader() as read:
        assert read.trades(cite_trade(closed(2).episode).place) == ()


def test_a_row_that_breaks_a_constraint_is_refused(stored: Store) -> None:
    with pytest.raises(InvariantError, match=r"refused a statement .*times"):
        stored.facts.add_trades([replace(closed(1), closed_ns=0)])


@pytest.mark.parametrize(
    "trade",
    [
        replace(closed(1), pnl=2**64),
        replace(closed(1), patterns=("a\ud800",)),
    ],
)
def test_what_no_column_holds_is_refused(stored: Store, trade: ClosedTrade) -> None:
    with pytest.raises(InvariantError, match=r"cannot hold a value|refused a statement"):
        stored.facts.add_trades([trade])
    assert len(stored.facts.add_trades([closed(2)])) == 1


def test_a_text_that_postgresql_cannot_hold_is_refused_everywhere_and_not_tried_again(stored: Store) -> None:
    told = re.escape(f"{stored.place.name} cannot hold a value (the text 'a\\x00b' contains NUL)")
    with pytest.raises(InvariantError, match=told):
        stored.facts.add_trades([replace(closed(1), patterns=("a\0b",))])
    with pytest.raises(InvariantError, match=told):
        stored.facts.add_certificate("a\0b", digest(1), "silver")
    assert stored.facts.add_trades([closed(1)])


def test_a_trade_that_is_given_twice_is_written_once(stored: Store) -> None:
    one = closed(1, "breakout")
    with pytest.raises(DataError, match=rf"trade {one.episode.id} is given twice, each time otherwise"):
        stored.facts.add_trades([one, replace(one, pnl=7)])
    assert len(stored.facts.add_trades([one, one])) == 2
    assert record(stored, "breakout") == [(1, digest(1))]


def record(store: Store, pattern: str) -> list[tuple[int, str]]:
    """The record of a pattern as it is stored: number and trade."""
    asked = select(TradePattern.number, TradePattern.trade).where(TradePattern.pattern == pattern)
    with store.engine.connect() as connection:
        return sorted((row.number, row.trade) for row in connection.execute(asked))


def test_the_trades_of_a_pattern_that_are_written_together_are_cited_by_when_they_were_known(stored: Store) -> None:
    assert stored.facts.cite_trades("breakout") is None
    stored.facts.add_trades([closed(3, "breakout"), closed(1, "breakout", "squeeze"), closed(2)])
    first = stored.facts.cite_trades("breakout")
    assert first is not None
    assert first.place == "trades/breakout"
    with stored.facts.reader() as read:
        assert read.trades(first.place) == (closed(1).episode, closed(3).episode)
    stored.facts.add_trades([closed(4, "squeeze")])
    assert stored.facts.cite_trades("breakout") == first
    stored.facts.add_trades([closed(5, "breakout")])
    assert stored.facts.cite_trades("breakout") != first
    assert record(stored, "breakout") == [(place, digest(number)) for place, number in enumerate((1, 3, 5), 1)]
    assert record(stored, "squeeze") == [(1, digest(1)), (2, digest(4))]


def test_a_trade_that_is_written_later_comes_last_whenever_it_was_known(stored: Store) -> None:
    stored.facts.add_trades([closed(3, "breakout"), closed(5, "breakout")])
    cited = stored.facts.cite_trades("breakout")
    assert cited is not None
    late = closed(1, "breakout"), closed(4, "breakout")
    for _ in range(2):
        stored.facts.add_trades([*late, closed(5, "breakout")])
    assert record(stored, "breakout") == [(place, digest(number)) for place, number in enumerate((3, 5, 1, 4), 1)]
    with stored.facts.reader() as read:
        rows = read.trades(cited.place)
    assert [one.id for one in rows] == [digest(number) for number in (3, 5, 1, 4)]
    assert upto(trade_links(cited.place, rows), cited.digest) == 2


def written_at_once(store: Store, stores: Sequence[Store], each: int = 8) -> None:
    """Several sessions write trades of one pattern at once, and cite it: every citation is of a beginning."""
    ready = Barrier(len(stores))

    def write(which: int) -> list[Reference | None]:
        ready.wait()
        cited = []
        for number in range(each, 0, -1):  # what was known last is written first
            stores[which].facts.add_trades([closed(number * len(stores) + which, "breakout")])
            cited.append(stores[which].facts.cite_trades("breakout"))
        return cited

    with ThreadPoolExecutor(len(stores)) as pool:
        cited = [one for some in pool.map(write, range(len(stores))) for one in some]
    assert [number for number, _ in record(store, "breakout")] == [*range(1, each * len(stores) + 1)]
    with store.facts.reader() as read:
        links = {*trade_links("trades/breakout", read.trades("trades/breakout"))}
    assert {one and one.digest for one in cited} <= links


def test_sessions_that_write_at_once_get_different_numbers(
    stored: Store, store_url: str, again: Callable[[Store, str], Store]
) -> None:
    with ExitStack() as closing_them:
        written_at_once(stored, [closing_them.enter_context(closing(again(stored, store_url))) for _ in range(4)])


def test_sessions_that_write_the_same_at_once_write_it_once(
    stored: Store, store_url: str, again: Callable[[Store, str], Store]
) -> None:
    ways: list[Callable[[Store, int], object]] = [
        lambda store, turn: store.facts.add_space(Space("north", f"s{turn}", 4)),
        lambda store, turn: store.facts.add_vectors([bytes([turn]) * 8]),
        lambda store, turn: store.facts.add_returns("returns/trend", turn, [1]),
        lambda store, turn: store.facts.add_certificate("trend", digest(turn), "gold"),
    ]

    def write(store: Store) -> None:
        for turn in range(8):
            for way in ways:
                ready.wait()
                way(store, turn)

    with ExitStack() as closing_them:
        stores = [closing_them.enter_context(closing(again(stored, store_url))) for _ in range(4)]
        ready = Barrier(len(stores), timeout=20)
        with ThreadPoolExecutor(len(stores)) as pool:
            list(pool.map(write, stores))
    with stored.facts.reader() as read:
        assert len(read.spaces()) == 8
        assert read.returns("returns/trend") == (0, (1,) * 8)
        assert read.certificates() == {"trend": (digest(7), "gold")}


def test_sessions_that_write_at_once_do_so_whatever_the_servers_default(
    cluster: Cluster, databases: Callable[[str], str]
) -> None:
    url = databases("coinswarm_empty")
    migrated(url)
    engine = engine_of(place(url))
    with engine.begin() as connection:
        connection.execute(text("ALTER DATABASE coinswarm_empty SET default_transaction_isolation = 'repeatable read'"))
    engine.dispose()
    with ExitStack() as closing_them:
        opened = [
            closing_them.enter_context(closing(open_store(url, "north", "main", roster=cluster.roster)))
            for _ in range(4)
        ]
        written_at_once(opened[0], opened)
        with opened[0].engine.connect() as connection:
            found = select(TradePattern.written_ns, NOW).order_by(TradePattern.number)
            times = [(row.written_ns, row[1]) for row in connection.execute(found)]
        assert 0 < times[-1][1] - times[0][0] < HOUR_NS, "by the server's clock"


def test_a_session_that_stops_while_it_writes_a_trade_does_not_keep_others_from_theirs(
    served: Store, postgres_store: str, again: Callable[[Store, str], Store]
) -> None:
    with closing(again(served, postgres_store)) as stopped:

        @event.listens_for(stopped.engine, "after_cursor_execute")
        def stands_still(_: object, __: object, statement: str, *___: object) -> None:
            """Its number is taken, and not committed."""
            if statement.startswith("INSERT INTO trade_pattern"):
                served.facts.add_trades([closed(2, "breakout")])

        with pytest.raises(UnreachableError, match=r"did not wait for the rest of a transaction|cannot be reached"):
            stopped.facts.add_trades([closed(1, "breakout")])
    assert record(served, "breakout") == [(1, digest(2))]


def test_facts_whose_commit_got_no_answer_may_have_been_written(served: Store) -> None:
    lost = [True]

    def unanswered(connection: Connection) -> None:
        """It is done, and the answer goes astray."""
        if lost.pop():
            driver: Any = connection.connection.driver_connection
            with socket.socket(fileno=os.dup(driver.pgconn.socket)) as wire:
                wire.settimeout(5)
                said = b"COMMIT\0"
                wire.sendall(b"Q" + (len(said) + 4).to_bytes(4, "big") + said)
                assert b"COMMIT" in wire.recv(1 << 16)
                wire.shutdown(socket.SHUT_RDWR)

    event.listen(served.engine, "commit", unanswered)
    with pytest.raises(AmbiguousError, match="gave no answer to a commit: ask again, which is safe"):
        served.facts.add_vectors([b"12345678"])
    event.remove(served.engine, "commit", unanswered)
    with served.facts.reader() as read:
        assert len(read.vectors([sha256(b"12345678")])) == 1, "these were"
    assert served.facts.add_vectors([b"12345678"]) == (sha256(b"12345678"),)


def test_facts_that_are_refused_at_the_commit_were_not_written(served: Store) -> None:
    with served.engine.begin() as connection:
        connection.execute(text("CREATE FUNCTION pg_temp.fail() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'so' "
                                "USING ERRCODE = '40001'; END $$ LANGUAGE plpgsql"))  # fmt: skip
        connection.execute(text("CREATE CONSTRAINT TRIGGER failing AFTER INSERT ON vector DEFERRABLE INITIALLY "
                                "DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()"))  # fmt: skip
    with pytest.raises(UnreachableError, match="undid it"):
        served.facts.add_vectors([b"12345678"])
    with served.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER failing ON vector"))
    with served.facts.reader() as read:
        assert read.vectors([sha256(b"12345678")]) == {}


def test_returns_are_a_record_without_gaps(stored: Store) -> None:
    facts = stored.facts
    first = facts.add_returns("returns/trend", 20_000, [5, -6, 0])
    assert facts.add_returns("returns/trend", 20_000, [5, -6, 0]) == first
    longer = facts.add_returns("returns/trend", 20_002, [0, 9])
    assert longer.place == first.place
    assert longer.digest != first.digest
    with facts.reader() as read:
        assert read.returns("returns/trend") == (20_000, (5, -6, 0, 9))
        assert read.returns("returns/other") == (0, ())
    for day in (19_998, 20_005):
        with pytest.raises(DataError, match=rf"goes from day 20000 to 20003, and {day} does not follow"):
            facts.add_returns("returns/trend", day, [1])
    with pytest.raises(DataError, match=r"with the return_ppm -6 instead of 6"):
        facts.add_returns("returns/trend", 20_001, [6])
    for series, values in (("trades/x", [1]), ("trials/x", [1]), ("returns/trend", [])):
        with pytest.raises(ValueError, match="is no record"):
            facts.add_returns(series, 20_000, values)


def test_the_newest_certificate_that_is_not_revoked_holds(stored: Store) -> None:
    facts = stored.facts
    assert facts.add_certificate("trend", digest(1), "silver").place == "certificates/trend"
    facts.add_certificate("trend", digest(2), "gold")
    facts.add_certificate("trend", digest(1), "silver")
    facts.add_certificate("other", digest(3), "bronze")
    assert facts.revoke_certificate("other", digest(3))
    assert not facts.revoke_certificate("other", digest(4))
    with facts.reader() as read:
        assert read.certificates() == {"trend": (digest(2), "gold")}
    facts.revoke_certificate("trend", digest(2))
    with facts.reader() as read:
        assert read.certificates() == {"trend": (digest(1), "silver")}
    with pytest.raises(DataError, match="with the tier 'silver' instead of 'gold'"):
        facts.add_certificate("trend", digest(1), "gold")


def test_spaces_and_vectors(stored: Store) -> None:
    facts, space = stored.facts, Space("north", "trend/state.2", 2)
    facts.add_space(space)
    facts.add_space(space)
    with pytest.raises(DataError, match="with the dimension 2 instead of 3"):
        facts.add_space(replace(space, dimension=3))
    with pytest.raises(ValueError, match="is of south, but this is the memory of north"):
        facts.add_space(replace(space, swarm="south"))
    assert facts.add_vectors([b"12345678", b"12345678", b""]) == (sha256(b"12345678"), sha256(b"12345678"), sha256(b""))
    with facts.reader() as read:
        assert read.spaces() == (space,)
        assert read.vectors([sha256(b"12345678"), sha256(b"?")]) == {sha256(b"12345678"): b"12345678"}


def test_a_regime_is_defined_version_by_version(stored: Store) -> None:
    words = {"volatility": "low", "spread": "tight", "trend": "flat", "session": "asia", "start_time": 1}
    stored.facts.add_regime("calm", 1, **words)
    stored.facts.add_regime("calm", 1, **words)
    stored.facts.add_regime("calm", 2, **{**words, "end_time": 5})
    with pytest.raises(DataError, match=r"version 4 of the regime calm comes after 2: write version 3"):
        stored.facts.add_regime("calm", 4, **words)
    with pytest.raises(DataError, match="with the volatility 'low' instead of 'high'"):
        stored.facts.add_regime("calm", 1, **{**words, "volatility": "high"})
    with pytest.raises(InvariantError, match="times"):
        stored.facts.add_regime("calm", 3, **{**words, "end_time": 0})
    with Session(stored.engine) as session:
        assert [(row.version, row.end_time) for row in session.scalars(select(Regime))] == [(1, None), (2, 5)]
