"""Where the mutants of this folder keep what they are told: a file that lives as long as the process."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import Field

from coinswarm_testkit.reference.settings import MemorySettings

FOLDER = TemporaryDirectory(prefix="coinswarm-mutants-", ignore_cleanup_errors=True)


class Settings(MemorySettings):
    """A file for whoever is asked next."""

    file: Path = Field(default=Path(FOLDER.name) / "memory.db", strict=False)
