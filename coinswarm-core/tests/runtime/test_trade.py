"""A paper session in this process, and what keeps it from starting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.backtest.runread import read_run
from coinswarm.config.profile import parse_profile
from coinswarm.domain.order import EndReason
from coinswarm.errors import CoinswarmError, NotReadyError, ProfileError, UnknownNameError
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.trust import trust_line
from coinswarm.runtime import trade as module
from coinswarm.runtime.runs import backtest
from coinswarm.runtime.trade import LIVE_NEEDS, match_recordings, trade

if TYPE_CHECKING:
    from collections.abc import Callable

Profiles = Any
Fake = Any


def symbols(*names: str) -> Any:  # noqa: ANN401
    """A paper profile of these instruments."""
    data = {
        "mode": "paper",
        "instruments": [{"symbol": name} for name in names],
        "agents": [{"name": "trend", "weight_bp": 10_000}],
    }
    return parse_profile(data, "p")


@pytest.mark.parametrize(
    ("names", "given", "files"),
    [
        (["BTC/USD"], [], {}),
        (["BTC/USD"], ["a.csv"], {"BTC/USD": "a.csv"}),
        (["BTC/USD"], ["BTC/USD=a.csv"], {"BTC/USD": "a.csv"}),
        (["BTC/USD"], ["x=a.csv"], {"BTC/USD": "x=a.csv"}),  # no symbol: a file of that name
        (["BTC/USD", "ETH/USD"], ["ETH/USD=e=1.csv", "BTC/USD=b.csv"], {"ETH/USD": "e=1.csv", "BTC/USD": "b.csv"}),
    ],
)
def test_recordings_by_symbol(names: list[str], given: list[str], files: dict[str, str]) -> None:
    assert match_recordings(symbols(*names), given) == {symbol: Path(name) for symbol, name in files.items()}


def test_a_file_that_exists_is_meant_even_if_it_looks_like_a_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a=b.csv").touch()
    assert match_recordings(symbols("BTC/USD"), ["runs/a=b.csv"]) == {"BTC/USD": Path("runs/a=b.csv")}


@pytest.mark.parametrize(
    ("names", "given", "kind", "said"),
    [
        (
            ["BTC/USD", "ETH/USD"], ["a.csv"], ProfileError,
            "whose bars it holds, and the profile trades BTC/USD, ETH/USD: write --replay BTC/USD=a.csv",
        ),
        (["BTC/USD"], ["BCT/USD=a"], UnknownNameError, "does not trade 'BCT/USD': did you mean 'BTC/USD'?"),
        (["BTC/USD"], ["\udcff.csv"], ProfileError, r"the name of the recording '\udcff.csv' is not text: rename it"),
        (["BTC/USD"], ["a", "b"], ProfileError, "--replay gives BTC/USD twice (a and b): give one file per symbol"),
    ],
)  # fmt: skip
def test_recordings_that_fit_nothing(names: list[str], given: list[str], kind: type[CoinswarmError], said: str) -> None:
    with pytest.raises(kind) as caught:
        match_recordings(symbols(*names), given)
    assert said in str(caught.value)


@pytest.mark.parametrize("batch", [1, 7, 512])
def test_a_paper_replay_is_the_backtest_whatever_the_batches(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", batch)
    fake()
    recorded = bars("r.csv")
    paper = trade(profile(mode="paper"), label="p", recordings={"BTC/USD": recorded}, runs=None)
    run = backtest(profile(instruments=[{"symbol": "BTC/USD", "file": str(recorded)}]), label="p", runs=None)
    assert paper.result.order_hash == run.result.order_hash
    assert paper.summary == run.summary
    assert EndReason.FILLED in paper.result.orders[:, 12]


def test_two_instruments_with_holes_on_the_union_timeline(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake()
    files = {"BTC/USD": bars("b.csv"), "ETH/USD": bars("e.csv", scale=0.3)}
    lines = files["ETH/USD"].read_text().splitlines()
    files["ETH/USD"].write_text("\n".join([*lines[:20], *lines[27:60], *lines[61:90]]) + "\n")
    both = [{"symbol": symbol} for symbol in files]
    paper = trade(profile(mode="paper", instruments=both), label="p", recordings=files, runs=tmp_path / "runs")
    listed = [{"symbol": symbol, "file": str(path)} for symbol, path in files.items()]
    run = backtest(profile(instruments=listed), label="p", runs=None)
    assert paper.result.order_hash == run.result.order_hash
    assert paper.path is not None
    assert {t.instrument for t in paper.result.trades} == {"BTC/USD", "ETH/USD"}


def refused_live(profile: Any, label: str = "profile live") -> list[str]:  # noqa: ANN401
    """What live refuses for, beside what this version lacks."""
    with pytest.raises(NotReadyError) as caught:
        trade(profile, label=label, recordings={}, runs=None)
    assert caught.value.exit_code == 2
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{label}: this version of Coinswarm does not trade live")
    needs = [f"- {need}" for need in LIVE_NEEDS]
    assert lines[1 : len(needs) + 1] == needs
    return lines[len(needs) + 1 :]


def test_live_lists_what_is_missing(profile: Profiles) -> None:
    assert refused_live(profile(mode="live")) == [
        "- plugin 'fake' is not installed",
        "- fake: no installed plugin is known to bring the agent 'fake'",
    ]


def test_live_tells_what_admission_finds_seat_by_seat(profile: Profiles, fake: Fake) -> None:
    fake()
    untrusted, gold = refused_live(profile(mode="live"))
    assert untrusted.startswith("- plugin 'fake' (fake-fake 1.0) is untrusted: nobody trusts it")
    assert gold.startswith("- fake has silver, and live demands gold: ")
    record = next(record for record in discover() if record.name == "fake")
    trusted = profile(mode="live", trust=[trust_line(record)])
    [gold] = refused_live(trusted, "live.toml")
    assert gold.startswith("- fake has silver, and live demands gold: it is certified silver: ")
    assert gold.endswith(": coinswarm plugins check fake --profile live.toml --tier gold")
    digest = trust_line(record).split()[1]
    word = {"agent": "fake", "digest": digest, "reason": "r", "cap_quote": 10_000, "expires": "2999-01-01T00:00:00Z"}
    assert refused_live(profile(mode="live", trust=[trust_line(record)], accept_evidence=[word])) == []


def test_paper_refuses_what_has_no_silver_and_names_the_command(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], site: Fake
) -> None:
    fake()
    agent = Path(site.folder) / "fake_fake" / "agent.py"
    agent.write_text(agent.read_text() + "\n")
    with pytest.raises(NotReadyError) as caught:
        trade(profile(mode="paper"), label="p", recordings={"BTC/USD": bars()}, runs=None)
    assert str(caught.value).startswith("p: fake has no certificate that counts, and paper demands silver: its ")
    assert "fake_fake/agent.py differs from what was installed" in str(caught.value)


KEEPER = """\
from coinswarm.declarations import MemoryType
@hookimpl
def coinswarm_memory_backends():
    yield MemoryType(name="keeper", summary="Fake.", target="fake_keeper.backend:Keeper")
"""


@pytest.fixture
def keeper(site: Fake) -> dict[str, Any]:
    """Install a plugin with a memory backend; fields of a profile that recalls from it."""
    site.add("keeper", KEEPER)
    code = "from coinswarm.drivers.episodes import LocalMemory\nfrom coinswarm.drivers.settings import *\n"
    code += "class Keeper(LocalMemory):\n    def __init__(self): super().__init__(LocalMemorySettings())\n"
    (Path(site.folder) / "fake_keeper" / "backend.py").write_text(code)
    site.write_record("fake_keeper")
    return {"plugins": ["fake", "keeper"], "memory": {"backend": "keeper"}}


def test_a_backend_needs_silver_as_agents_do(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], keeper: dict[str, Any], certify: Fake
) -> None:
    fake()
    told = "it has no certificate: coinswarm plugins check keeper --kind memory"
    run = backtest(profile(**keeper), label="p", runs=None)
    assert run.summary["notes"][0] == f"memory keeper is not certified: {told}"
    paper, live = profile(mode="paper", **keeper), profile(mode="live", **keeper)
    with pytest.raises(NotReadyError) as caught:
        trade(paper, label="p", recordings={"BTC/USD": bars()}, runs=None)
    assert str(caught.value) == f"p: memory keeper has no certificate that counts, and paper demands silver: {told}"
    refused = [line for line in refused_live(live) if "keeper" in line]
    assert refused[0].startswith("- plugin 'keeper' (fake-keeper 1.0) is untrusted")
    assert refused[1:] == [f"- memory keeper has no silver certificate, without which nothing can be accepted: {told}"]
    certify("keeper", kind="memory")
    assert trade(paper, label="p", recordings={"BTC/USD": bars()}, runs=None).result.order_hash == run.result.order_hash
    trusted = [trust_line(record) for record in discover() if record.name in {"fake", "keeper"}]
    refused = refused_live(profile(mode="live", trust=trusted, **keeper))
    assert [line for line in refused if "keeper" in line] == []


def test_cores_own_backend_needs_no_certificate(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], tmp_path: Path
) -> None:
    fake()
    paper = profile(mode="paper", memory={})
    done = trade(paper, label="p", recordings={"BTC/USD": bars()}, runs=tmp_path / "runs")
    assert done.path is not None
    seats = [(one["seat"], one["plugin"]) for one in read_run(done.path).record["certificates"]]
    assert seats == [("fake", "fake"), ("weigher weighted", "core"), ("memory local", "core")]


def test_a_backtest_takes_it_and_says_so_in_summary_record_and_report(
    profile: Profiles, fake: Fake, site: Fake, tmp_path: Path
) -> None:
    fake()
    agent = Path(site.folder) / "fake_fake" / "agent.py"
    agent.write_text(agent.read_text() + "\n")
    done = backtest(profile(), label="p", runs=tmp_path / "runs")
    [note] = [note for note in done.summary["notes"] if "certified" in note]
    assert note.startswith("fake is not certified: its certificate agent-fake-")
    assert done.path is not None
    record = read_run(done.path).record
    assert [(one["seat"], one["tier"]) for one in record["certificates"]] == [
        ("fake", None),
        ("weigher weighted", None),
    ]
    assert "fake is not certified" in (done.path / "report.html").read_text()


def test_accepted_evidence_stands_in_every_record_and_report(profile: Profiles, fake: Fake, tmp_path: Path) -> None:
    fake()
    record = next(record for record in discover() if record.name == "fake")
    word = {
        "agent": "fake", "digest": trust_line(record).split()[1], "reason": "first weeks", "cap_quote": 10_000,
        "expires": "2999-01-01T00:00:00Z",
    }  # fmt: skip
    done = backtest(profile(accept_evidence=[word]), label="p", runs=tmp_path / "runs")
    assert (
        "less evidence of fake is accepted up to 10,000.00 until 2999-01-01, because first weeks"
        in done.summary["notes"]
    )
    assert done.path is not None
    [kept] = read_run(done.path).record["accept_evidence"]
    assert (kept["agent"], kept["reason"], kept["holds"]) == ("fake", "first weeks", True)
    assert "because first weeks" in (done.path / "report.html").read_text()


def test_a_backtest_profile_is_no_session(profile: Profiles) -> None:
    with pytest.raises(ProfileError, match=r"p has mode 'backtest': set mode = \"paper\""):
        trade(profile(), label="p", recordings={}, runs=None)


def test_paper_without_bars(profile: Profiles) -> None:
    with pytest.raises(NotReadyError, match=r"p has no bars for BTC/USD.*give a recording with --replay FILE"):
        trade(profile(mode="paper"), label="p", recordings={}, runs=None)


def test_what_a_task_raises_is_what_is_told(
    profile: Profiles, fake: Fake, bars: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()

    def broken(_plan: object) -> Any:  # noqa: ANN401
        message = "the feed broke"
        raise OSError(message)

    monkeypatch.setattr(module, "timeline", broken)
    with pytest.raises(OSError, match="the feed broke"):
        trade(profile(mode="paper"), label="p", recordings={"BTC/USD": bars()}, runs=None)
