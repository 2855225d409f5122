"""``coinswarm plugins certificates``, and the column of ``plugins list``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from coinswarm.cli import main
from coinswarm.plugins.signing import own_key

Fakes = Any
Certify = Any


@pytest.fixture
def home() -> Path:
    return Path(os.environ["COINSWARM_HOME"])


@pytest.fixture
def alpha(site: Fakes, certify: Certify) -> Path:
    """A certified plugin."""
    site.add("alpha", record=True)
    path: Path = certify("alpha")
    return path


def test_the_list_tells_the_tier_and_what_broke(
    alpha: Path,
    site: Fakes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert alpha.exists()
    assert main(["plugins", "list", "--json"]) == 0
    [row] = [row for row in json.loads(capsys.readouterr().out) if row["name"] == "alpha"]
    assert (row["certificate"], row["not_counted"]) == ("silver", "")
    (site.folder / "fake_alpha" / "agent.py").write_text("class Fake:\n    pass  # one byte and more\n")
    assert main(["plugins", "list"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("alpha")]
    assert line.split()[4] == "broken"
    assert main(["plugins", "info", "alpha"]) == 0
    assert "fake_alpha/agent.py differs from what was installed" in capsys.readouterr().out


def test_show_and_verify(alpha: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "certificates", "show"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:5] == ["alpha", "agent", "alpha", "1.0", "silver"]
    assert main(["plugins", "certificates", "show", "alpha"]) == 0
    out = capsys.readouterr().out
    assert "checks     1 passed\n" in out
    assert "settings   defaults\n" in out
    assert main(["plugins", "certificates", "show", "alpha", "--json"]) == 0
    [whole] = json.loads(capsys.readouterr().out)
    assert whole["certificate"]["checks"][0]["id"] == "A30"
    assert main(["plugins", "certificates", "verify", "alpha"]) == 0
    assert capsys.readouterr().out == f"{alpha.name} counts: silver, agent alpha, fake-alpha 1.0\n"
    alpha.write_text(alpha.read_text().replace("silver", "gold"))
    assert main(["plugins", "certificates", "verify"]) == 2
    assert f"{alpha.name} does not count: it is forged or was altered" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["verify"], "there is no certificate: coinswarm plugins check NAME"),
        (["verify", "alpha"], "there is no certificate of alpha: coinswarm plugins check alpha"),
        (["show", "alpa"], "unknown plugin 'alpa': did you mean 'alpha'?"),
    ],
)
def test_none_to_be_had(args: list[str], said: str, site: Fakes, capsys: pytest.CaptureFixture[str]) -> None:
    site.add("alpha", record=True)
    assert main(["plugins", "certificates", *args]) == 2
    assert said in capsys.readouterr().err


def test_import_from_another_home(
    site: Fakes, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str], certify: Certify
) -> None:
    site.add("alpha", record=True)
    file = certify("alpha", tmp_path / "other")
    key = own_key(tmp_path / "other", "certificates")
    assert main(["plugins", "certificates", "import", str(file)]) == 2
    assert f"--trust {key}" in capsys.readouterr().err
    assert main(["plugins", "certificates", "import", str(file), "--trust", key]) == 0
    assert "it counts: the silver certificate of agent 'alpha' (fake-alpha 1.0)" in capsys.readouterr().out
    assert (home / "certificates" / file.name).exists()
