"""One damaged file of metadata does not stop whoever reads all of them."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from coinswarm.plugins.discovery import discover
from coinswarm.plugins.records import Status
from coinswarm.plugins.shield import shielded

Site = Any


def test_a_damaged_file_counts_as_empty_while_shielded(site: Site) -> None:
    site.add("alpha")
    site.add("beta", entry_points="[coinswarm.plugins]\nno equals sign here\n")
    before = metadata.Distribution.entry_points
    with shielded():
        assert "alpha" in {point.name for point in metadata.entry_points(group="coinswarm.plugins")}
        [broken] = [record for record in discover() if record.distribution == "fake-beta"]
        assert broken.status is Status.FAILED, "and is named all the same"
    assert metadata.Distribution.entry_points is before
    with pytest.raises((TypeError, ValueError)):
        list(metadata.distribution("fake-beta").entry_points)
