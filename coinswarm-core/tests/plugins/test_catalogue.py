"""The catalogue: what loaded plugins declare, and every way in which a declaration is refused."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from coinswarm.contracts import MemoryBackend, SignalAgent, Voter, Weigher
from coinswarm.errors import CoinswarmError, ContractError, DeclarationError, LoadError, UnknownNameError
from coinswarm.plugins import catalogue
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.records import PluginRecord, Status, to_install

Site = Any


def surveyed() -> dict[str, PluginRecord]:
    return {record.name: record for record in catalogue.survey(discover())}


def test_core_declares_its_weigher_its_memory_and_its_voters_like_any_plugin() -> None:
    loaded = catalogue.load([])
    declaration, record = loaded.weighers["weighted"]
    assert (declaration.target, record.name) == ("coinswarm.committee.weighing:WeightedWeigher", "core")
    assert record.status is Status.LOADED
    assert record.provides == ("weigher: weighted", "memory backend: local", "voter: decimals", "voter: integers")
    assert issubclass(catalogue.resolve(declaration.target, plugin=record, contract=Weigher), Weigher)
    memory, record = loaded.memory_backends["local"]
    assert issubclass(catalogue.resolve(memory.target, plugin=record, contract=MemoryBackend), MemoryBackend)
    for name in ("decimals", "integers"):
        voter, record = loaded.voters[name]
        assert issubclass(catalogue.resolve(voter.target, plugin=record, contract=Voter), Voter)


def test_a_named_plugin_is_loaded_and_no_other(site: Site) -> None:
    site.add("alpha")
    site.add("beta")
    loaded = catalogue.load(["alpha"])
    assert set(loaded.plugins) == {"alpha", "core"}
    assert loaded.agents["alpha"][0].target == "fake_alpha.agent:Fake"
    assert loaded.agent("alpha")[1].provides == ("agent: alpha",)
    assert "fake_beta" not in sys.modules
    assert "fake_alpha.agent" not in sys.modules, "a target must stay a string until it is seated"


def test_the_order_of_the_names_changes_nothing(site: Site) -> None:
    site.add("alpha")
    site.add("beta")
    assert list(catalogue.load(["beta", "alpha"]).agents) == list(catalogue.load(["alpha", "beta"]).agents)


def test_an_unknown_plugin_is_answered_with_the_nearest(site: Site) -> None:
    site.add("alpha")
    with pytest.raises(UnknownNameError, match="unknown plugin 'alhpa': did you mean 'alpha'"):
        catalogue.load(["alhpa"])
    with pytest.raises(UnknownNameError, match=r"unknown plugin 'xyz': install it \(known: alpha, core"):
        catalogue.load(["xyz"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trend", "pip install coinswarm-trend (known: alpha, core)"),
        ("xyz", "install it (known: alpha, core)"),
        ("alpa", "did you mean 'alpha'? Else install it"),
    ],
)
def test_what_is_not_installed_is_answered_with_what_to_do(name: str, said: str) -> None:
    assert to_install(name, ["core", "alpha"]) == said


def test_unknown_agents_and_weighers_are_answered(site: Site) -> None:
    site.add("alpha")
    site.add("beta")
    loaded = catalogue.load(["alpha"])
    with pytest.raises(UnknownNameError, match="unknown agent 'alph': did you mean 'alpha'"):
        loaded.agent("alph")
    with pytest.raises(UnknownNameError, match=r"installed, but not among the profile's plugins.*add 'beta'"):
        loaded.agent("beta")
    with pytest.raises(UnknownNameError, match="unknown weigher 'wieghted': did you mean 'weighted'"):
        loaded.weigher("wieghted")


def test_a_taken_plugin_name_is_refused(site: Site) -> None:
    site.add("alpha", distribution="fake-one")
    site.add("alpha", distribution="fake-two")
    with pytest.raises(LoadError, match="fake-one and fake-two both"):
        catalogue.load(["alpha"])


def test_a_declared_name_that_two_share_names_both(site: Site) -> None:
    source = """
        @hookimpl
        def coinswarm_agents():
            yield AgentType(name="twin", summary="Fake.", target="a.b:C")
    """
    site.add("alpha", source)
    site.add("beta", source)
    with pytest.raises(DeclarationError, match=r"'beta'.*'alpha'.*both declare the agent 'twin'"):
        catalogue.load(["alpha", "beta"])
    found = surveyed()
    assert (found["alpha"].status, found["beta"].status) == (Status.LOADED, Status.CONFLICT)


def test_a_survey_leaves_alone_what_may_not_be_loaded(site: Site) -> None:
    site.add("alpha", distribution="fake-one")
    site.add("alpha", distribution="fake-two")
    records = discover()
    assert [record for record in catalogue.survey(records) if record.name == "alpha"] == [
        record for record in records if record.name == "alpha"
    ]
    assert "fake_one" not in sys.modules


def test_core_keeps_its_names_against_a_plugin_that_sorts_before_it(site: Site) -> None:
    site.add(
        "aaa",
        """
        @hookimpl
        def coinswarm_weighers():
            yield WeigherType(name="weighted", summary="Mine.", target="a.b:C")
    """,
    )
    found = surveyed()
    assert (found["core"].status, found["aaa"].status) == (Status.LOADED, Status.CONFLICT)
    with pytest.raises(DeclarationError, match=r"'aaa'.*'core'"):
        catalogue.load(["aaa"])


REASONS = {
    "missing-import": "No module named",
    "asserting": "not today",
    "exiting": "SystemExit: 3",
    "syntax": "SyntaxError",
    "signature": "'swarm'",
    "unknown-hook": "'coinswarm_agentz': did you mean 'coinswarm_agents'",
    "wrapper": "wrappers are refused",
    "raising": "RuntimeError: no agents today",
    "no-hook": "implements no hook",
    "not-a-list": "TypeError",
    "forgetful": "coinswarm_agents returned None",
    "optional": "implements no hook",
    "coroutine": "plain def",
    "wrong-type": "returned 'trend'",
    "late": "SystemExit: half way",
}


@pytest.mark.parametrize(("name", "said"), REASONS.items())
def test_a_broken_plugin_has_a_reason_and_stops_nobody_else(broken_site: Site, name: str, said: str) -> None:
    assert broken_site.packages
    found = surveyed()
    assert found[name].status is Status.FAILED
    assert said in found[name].reason
    assert "\n" not in found[name].reason
    assert found["sound"].status is Status.LOADED
    assert found["sound"].provides == ("agent: sound",)
    with pytest.raises(CoinswarmError) as caught:
        catalogue.load([name])
    assert caught.value.exit_code == 3
    assert f"plugin '{name}'" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('name="Bad_Name"', "lower-case"),
        ("name=7", "lower-case"),
        ('summary=""', "one line"),
        (r'summary="a\nb"', "one line"),
        ('target="fake.agent"', "package.module:Name"),
        ("target=None", "package.module:Name"),
        ('settings="nowhere"', "package.module:Name"),
        ('role="boss"', "signal, risk, execution"),
        ('scope="galaxy"', "instrument, universe"),
        ("warm_up=-1", "warm_up -1"),
        ("warm_up=True", "warm_up True"),
        ("bar_seconds=1.5", "bar_seconds 1.5"),
        ("trials=-1", "trials -1"),
        ("data_cost=-5", "data_cost -5 is no amount"),
        ('data_cost="free"', "data_cost 'free' is no amount"),
        ("data_cost=True", "data_cost True is no amount"),
        ('needs="memory"', "frozenset"),
        ("reasons=(1,)", "tuple"),
        ('reasons=("x",) * 300', "more than 256"),
    ],
)
def test_a_wrong_field_of_a_declaration_is_named(site: Site, change: str, said: str) -> None:
    site.add(
        "alpha",
        f"""
        @hookimpl
        def coinswarm_agents():
            yield AgentType(**(dict(name="alpha", summary="Fake.", target="a.b:C") | dict({change})))
    """,
    )
    with pytest.raises(DeclarationError, match="its author") as caught:
        catalogue.load(["alpha"])
    assert said in str(caught.value)


def test_a_name_twice_from_one_plugin_is_refused(site: Site) -> None:
    site.add(
        "alpha",
        """
        @hookimpl
        def coinswarm_agents():
            return [AgentType(name="x", summary="Fake.", target="a.b:C")] * 2
    """,
    )
    with pytest.raises(DeclarationError, match="two declarations named 'x'"):
        catalogue.load(["alpha"])


def test_an_ingestor_is_polled_a_whole_number_of_seconds(site: Site) -> None:
    site.add(
        "alpha",
        """
        from coinswarm.declarations import IngestorType
        @hookimpl
        def coinswarm_ingestors():
            yield IngestorType(name="x", summary="Fake.", target="a.b:C", polled_seconds=-5)
    """,
    )
    with pytest.raises(DeclarationError, match="polled_seconds -5"):
        catalogue.load(["alpha"])


@pytest.mark.parametrize(
    ("hook", "kind", "change", "said"),
    [
        ("memory_backends", "MemoryType", "max_dimension=0", "max_dimension 0 is not a whole number of at least 1"),
        ("memory_backends", "MemoryType", "exact=1", "exact 1 is neither"),
        ("memory_backends", "MemoryType", "trial=['url']", "trial ['url'] is not a dict of settings"),
        ("memory_backends", "MemoryType", "persistent=None", "persistent None is neither"),
        ("planners", "PlannerType", "cadence_seconds=0", "cadence_seconds 0"),
        ("planners", "PlannerType", "history_days=-1", "history_days -1"),
    ],
)
def test_wrong_fields_of_the_other_kinds_are_named(site: Site, hook: str, kind: str, change: str, said: str) -> None:
    site.add(
        "alpha",
        f"""
        from coinswarm.declarations import {kind}
        @hookimpl
        def coinswarm_{hook}():
            yield {kind}(name="x", summary="Fake.", target="a.b:C", {change})
    """,
    )
    with pytest.raises(DeclarationError, match="its author") as caught:
        catalogue.load(["alpha"])
    assert said in str(caught.value)


def test_the_other_kinds_are_catalogued(site: Site) -> None:
    site.add(
        "alpha",
        """
        from coinswarm.declarations import MemoryType, PlannerType, VoterType
        @hookimpl
        def coinswarm_memory_backends():
            yield MemoryType(name="m", summary="Fake.", target="a.b:C", max_dimension=8)
        @hookimpl
        def coinswarm_voters():
            yield VoterType(name="v", summary="Fake.", target="a.b:C")
        @hookimpl
        def coinswarm_planners():
            yield PlannerType(name="p", summary="Fake.", target="a.b:C", history_days=60)
    """,
    )
    loaded = catalogue.load(["alpha"])
    assert loaded.memory_backends["m"][0].max_dimension == 8
    assert loaded.voters["v"][0].target == "a.b:C"
    assert loaded.planners["p"][0].history_days == 60


def test_a_refused_plugin_leaves_nothing_behind(site: Site) -> None:
    site.add(
        "alpha",
        """
        @hookimpl
        def coinswarm_weighers():
            yield WeigherType(name="mine", summary="Fake.", target="a.b:C")
        @hookimpl
        def coinswarm_agents():
            yield AgentType(name="alpha", summary="", target="a.b:C")
    """,
    )
    site.add(
        "beta",
        """
        @hookimpl
        def coinswarm_weighers():
            yield WeigherType(name="mine", summary="Fake.", target="a.b:C")
    """,
    )
    found = surveyed()
    assert (found["alpha"].status, found["beta"].status) == (Status.FAILED, Status.LOADED)


def test_resolve_says_who_named_what_cannot_be_had(site: Site) -> None:
    site.add("alpha")
    declaration, record = catalogue.load(["alpha"]).agent("alpha")
    assert catalogue.resolve(declaration.target, plugin=record).__name__ == "Fake"
    for target, said in (("fake_alpha.nowhere:X", "ModuleNotFoundError"), ("fake_alpha.agent:X", "AttributeError")):
        with pytest.raises(LoadError, match=f"'alpha'.*{said}.*reinstall fake-alpha"):
            catalogue.resolve(target, plugin=record)


def test_resolve_holds_the_contract(site: Site) -> None:
    site.add("alpha")
    (site.folder / "fake_alpha" / "agent.py").write_text(
        "from coinswarm.contracts import SignalAgent\n"
        "class Fake: pass\n"
        "class Half(SignalAgent): pass\n"
        "class Whole(SignalAgent):\n    def decide(self, state): return None\n"
    )
    _, record = catalogue.load(["alpha"]).agent("alpha")
    with pytest.raises(ContractError, match="not a subclass of SignalAgent"):
        catalogue.resolve("fake_alpha.agent:Fake", plugin=record, contract=SignalAgent)
    with pytest.raises(ContractError, match="does not implement decide"):
        catalogue.resolve("fake_alpha.agent:Half", plugin=record, contract=SignalAgent)
    assert issubclass(catalogue.resolve("fake_alpha.agent:Whole", plugin=record, contract=SignalAgent), SignalAgent)


def test_two_entry_points_for_one_module_are_refused(site: Site) -> None:
    points = "[coinswarm.plugins]\nalpha = fake_alpha.plugin\nagain = fake_alpha.plugin\n"
    site.add("alpha", entry_points=points)
    with pytest.raises(LoadError, match="cannot be registered"):
        catalogue.load(["alpha", "again"])


def test_a_bare_source_tree_is_told_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "installed", lambda _home, **_more: ())
    with pytest.raises(LoadError, match="install coinswarm-core"):
        catalogue.load([])
