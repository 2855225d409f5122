"""Certificates: signed, kept, held against the files on disk; each way to break one says what broke."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coinswarm.errors import NotReadyError, OperatorError
from coinswarm.plugins.certificate import SCHEMA, CertificateError, CheckRow, Signed, from_text, to_text
from coinswarm.plugins.certificates import best, bring, core_version, hold, issue, read_all
from coinswarm.plugins.discovery import discover
from coinswarm.plugins.policy import read_policy
from coinswarm.plugins.signing import is_key, own_key, sign, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from coinswarm.plugins.certificates import Held

Fakes = Any
Certify = Any


@pytest.fixture
def home() -> Path:
    return Path(os.environ["COINSWARM_HOME"])


@pytest.fixture
def certified(site: Fakes, certify: Certify) -> Path:
    """The file of a certificate of the plugin ``alpha``."""
    site.add("alpha", record=True)
    path: Path = certify("alpha")
    return path


def held(home: Path) -> Held:
    [one] = read_all(home)
    return hold(one, discover())


def test_a_certificate_counts_and_reads_back_as_it_was(certified: Path, home: Path, certificate: Certify) -> None:
    one = held(home)
    assert one.why == ""
    assert one.found.path == certified
    assert one.found.certificate == certificate("alpha")
    assert best([one], "alpha") is one
    assert best([one], "beta") is None


def test_no_home_and_an_empty_home_have_none(tmp_path: Path) -> None:
    assert read_all(None) == read_all(tmp_path) == ()


def test_one_changed_byte_is_named(certified: Path, home: Path, site: Fakes) -> None:
    assert certified.exists()
    agent = site.folder / "fake_alpha" / "agent.py"
    agent.write_bytes(agent.read_bytes().replace(b"pass", b"Pass"))
    said = "fake_alpha/agent.py differs from what was installed: reinstall fake-alpha from a wheel"
    assert held(home).why == said, "a check of what differs would give none"


def test_another_build_of_the_same_version_is_named_by_file(certified: Path, home: Path, site: Fakes) -> None:
    assert certified.exists()
    root = site.folder / "fake_alpha"
    (root / "agent.py").write_text("class Fake:\n    ...\n")
    (root / "more.py").touch()
    site.write_record("fake_alpha")
    why = held(home).why
    assert "fake_alpha/agent.py is not the file that was judged" in why
    assert "fake_alpha/more.py was not there when it was judged" in why
    assert "fake_alpha/__init__.py" not in why
    (root / "more.py").unlink()
    (root / "agent.py").unlink()
    site.write_record("fake_alpha")
    assert "fake_alpha/agent.py was judged and is gone" in held(home).why


def test_an_importable_file_beside_the_listed_ones_is_named(certified: Path, home: Path, site: Fakes) -> None:
    assert certified.exists()
    (site.folder / "fake_alpha" / "extra.py").touch()
    assert "extra.py in fake_alpha is importable, but RECORD does not list it" in held(home).why


def test_another_version_is_named(home: Path, site: Fakes, certify: Certify) -> None:
    site.add("alpha", record=True)
    certify("alpha", version="0.9")
    assert held(home).why == "it is for fake-alpha 0.9, and 1.0 is installed: coinswarm plugins check alpha"


def test_another_core_is_named(home: Path, site: Fakes, certify: Certify) -> None:
    site.add("alpha", record=True)
    certify("alpha", made_with={"coinswarm-core": "0.0.9"})
    assert held(home).why.startswith(f"it was earned with coinswarm-core 0.0.9, and this is {core_version()}: ")


def test_an_editable_install_and_a_gone_one(home: Path, site: Fakes, certify: Certify) -> None:
    site.add("alpha", record=True)
    certify("alpha")
    info = site.folder / "fake_alpha-1.0.dist-info"
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    assert "editable install" in held(home).why
    for path in info.iterdir():
        path.unlink()
    info.rmdir()
    assert held(home).why.startswith("fake-alpha is not installed")


def changed_text(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    whole = json.loads(path.read_text())
    change(whole)
    path.write_text(json.dumps(whole))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("signature"), "it is not signed: coinswarm plugins check alpha"),
        (lambda w: w.update(signature=""), "it is not signed"),
        (lambda w: w["certificate"].update(tier="gold"), "it is forged or was altered"),
        (lambda w: w["certificate"]["checks"].clear(), "it is forged or was altered"),
        (lambda w: w.update(signature="00" * 64), "it is forged or was altered"),
        (lambda w: w.update(signature="no hex"), "it is forged or was altered"),
        (lambda w: w.update(key="ed25519:12"), "it is forged or was altered"),
        (
            lambda w: w["certificate"].update(schema="coinswarm.certificate/0"),
            f"its schema 'coinswarm.certificate/0' has expired: this Coinswarm reads {SCHEMA!r}",
        ),
        (lambda w: w["certificate"].update(more=1), "it is no certificate (it has the unknown field 'more')"),
        (lambda w: w["certificate"].pop("tier"), "it is no certificate (it lacks 'tier')"),
        (lambda w: w["certificate"].update(tier="platinum"), "it is no certificate (tier is 'platinum')"),
        (lambda w: w["certificate"].update(name="../../x"), "it is no certificate (name is '../../x')"),
        (lambda w: w["certificate"].update(kind="a/b"), "it is no certificate (kind is 'a/b')"),
        (lambda w: w["certificate"]["settings"].update(x=float("nan")), "it holds a number or a letter"),
        (lambda w: w["certificate"].update(version="\ud800"), "it holds a number or a letter"),
        (lambda w: w["certificate"].update(seed=True), "it is no certificate (seed is 'True')"),
        (lambda w: w["certificate"].update(checks=[{}]), "it is no certificate (one of its checks"),
        (lambda w: w.pop("certificate"), "it is no certificate (it has no certificate inside)"),
    ],
)
def test_what_broke_is_told(certified: Path, home: Path, change: Callable[[dict[str, Any]], None], said: str) -> None:
    changed_text(certified, change)
    assert said in held(home).why


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"[" * 100_000, b'{"certificate": 3}'])
def test_any_other_file_is_no_certificate(data: bytes) -> None:
    with pytest.raises(CertificateError, match="it is no certificate"):
        from_text(data)


def test_a_certificate_from_elsewhere_counts_once_its_key_is_trusted(
    home: Path, site: Fakes, tmp_path: Path, certify: Certify
) -> None:
    site.add("alpha", record=True)
    theirs = certify("alpha", tmp_path / "theirs")
    key = own_key(tmp_path / "theirs", "certificates")
    with pytest.raises(CertificateError, match=f"signed by another key \\({key}\\)"):
        bring(home, theirs, trust=None)
    assert read_all(home) == ()
    with pytest.raises(OperatorError, match="is no public key"):
        bring(home, theirs, trust="abc")
    other = own_key_of(tmp_path / "third")
    with pytest.raises(CertificateError, match="signed by another key"):
        bring(home, theirs, trust=other)
    assert read_policy(home).signers == {}
    assert bring(home, theirs, trust=key).parent == home / "certificates"
    assert held(home).why == ""
    assert list(read_policy(home).signers) == [key]
    assert bring(home, theirs, trust=None).exists()  # trusted by now


def own_key_of(folder: Path) -> str:
    return sign(folder, "certificates", b"")[0]


def test_copied_into_the_folder_it_counts_for_nothing(
    home: Path, site: Fakes, tmp_path: Path, certify: Certify
) -> None:
    site.add("alpha", record=True)
    theirs = certify("alpha", tmp_path / "theirs")
    (home / "certificates").mkdir(parents=True)
    (home / "certificates" / "x.json").write_bytes(theirs.read_bytes())
    assert "it is signed by another key" in held(home).why


def test_a_certificate_is_replaced_by_one_for_the_same_and_kept_beside_others(
    home: Path, site: Fakes, certificate: Certify
) -> None:
    site.add("alpha", record=True)
    one = certificate("alpha")
    first = issue(home, one)
    assert issue(home, replace(one, date="2026-11-29T00:00:00.000Z", tier="bronze")) == first
    assert issue(home, replace(one, settings={"fast": 3})) != first
    gold = replace(one, tier="gold", instruments=("BTC/USD",), bar_seconds=3600, costs={"taker_bps": 10.0})
    assert issue(home, gold) != first
    found = best([hold(found, discover()) for found in read_all(home)], "alpha")
    assert found is not None
    assert found.found.certificate.tier == "gold"


class TestKey:
    """The key that signs."""

    def test_it_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        key, signature = sign(tmp_path, "mine", b"data")
        path = tmp_path / "keys" / "mine.pem"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert sign(tmp_path, "mine", b"data") == (key, signature)
        assert own_key(tmp_path, "mine") == key
        assert is_key(key)
        assert verify(key, signature, b"data")
        assert not verify(key, signature, b"Data")
        assert not verify(sign(tmp_path, "other", b"")[0], signature, b"data")

    def test_one_that_others_may_read_is_refused(self, tmp_path: Path) -> None:
        sign(tmp_path, "mine", b"")
        (tmp_path / "keys" / "mine.pem").chmod(0o640)
        with pytest.raises(NotReadyError, match=r"may be read by others \(mode 0640\): run: chmod 600"):
            sign(tmp_path, "mine", b"")

    def test_a_file_that_is_no_key_is_refused(self, tmp_path: Path) -> None:
        sign(tmp_path, "mine", b"")
        (tmp_path / "keys" / "mine.pem").write_text("no key")
        with pytest.raises(NotReadyError, match="is no Ed25519 key"):
            own_key(tmp_path, "mine")


def test_text_and_back(site: Fakes, certificate: Certify) -> None:
    site.add("alpha", record=True)
    rows = (
        CheckRow(
            id="A86", title="t", category=2, tier="gold", outcome="passed", seconds=0.25,
            measured={"sharpe": 0.1 + 0.2, "note": "é"}, limit={"sharpe": 3},
        ),
    )  # fmt: skip
    one = certificate("alpha", checks=rows, trials=3, instruments=("A/B",), settings={"a": [1, {"b": 0.1}]})
    assert from_text(to_text(Signed(one, "k", "s")).encode()).certificate == one
    assert one.numbers() == {"sharpe": 0.1 + 0.2}
