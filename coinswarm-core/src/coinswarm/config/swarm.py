"""``[swarm]`` of a profile: who votes, coordinates and proposes, on which log; and how it is read without the rest."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from coinswarm.config.fields import Bp, Database, Name, SecretReference, Section, Settings
from coinswarm.config.messages import explain, origin
from coinswarm.config.sections import DriversSection, MemorySection
from coinswarm.config.sources import (
    anchor_references,
    anchor_texts,
    anchored,
    apply_override,
    parse_override,
    read_toml,
)
from coinswarm.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class VoterSection(Section):
    """One ``[[swarm.voters]]``: a seat that judges.

    :param voter: the voter, as its plugin declares it.
    :param settings: checked by the voter's own settings model.
    :param key: where its secret key is; by default what ``coinswarm memory keys create`` made under its id.
    """

    id: Name = Field(description="the seat's name, as in the roster")
    voter: Name = Field(description="the voter that judges, as its plugin declares it")
    settings: Settings = Field(default_factory=dict)
    key: SecretReference | None = None


class SubmitterSection(Section):
    """``[swarm.submitter]``: the seat that proposes."""

    id: Name = "desk"
    key: SecretReference | None = None


class SwarmSection(Section):
    """``[swarm]``: a quorum.

    :param cluster, shard: whose log it is.
    :param roster: file with the roster of version 0, as ``coinswarm memory init`` wrote it.
    :param database: where the log is.
    :param folder: of the parts' disks; by default ``$COINSWARM_HOME/swarm/CLUSTER/SHARD``.
    :param coordinators: names of all coordinators, in the order in which they take turns.
    :param mode: what kind of trading the swarm is for: voters ask for the certificates that it needs.
    :param minimum_bp: the venue's least order, in basis points of equity, rounded up; 0: it has none.
    :param judge_seconds: how long a voter's plugin may take for one proposal.
    :param deadline_seconds: how long a proposal may take.
    :param patience_seconds: how long a session waits for a store, a bus or a decision that is overdue; 0: for ever.
    """

    cluster: Name = Field(description="the cluster's name")
    shard: Name = "main"
    roster: str = Field(description="the file that coinswarm memory init wrote", min_length=1)
    database: Database = Field(description="URL of PostgreSQL, or the path of a SQLite file")
    folder: str | None = Field(default=None, min_length=1)
    voters: list[VoterSection] = Field(description="one [[swarm.voters]] per seat", min_length=1)
    coordinators: list[Name] = Field(default=["c1"], min_length=1)
    submitter: SubmitterSection = SubmitterSection()
    mode: Literal["paper", "live"] = "paper"
    minimum_bp: Bp = 0
    judge_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    deadline_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    patience_seconds: Annotated[float, Field(ge=0, le=86_400)] = 300.0

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [*(seat.id for seat in self.voters), *self.coordinators, self.submitter.id]
        twice = [name for name, number in Counter(names).items() if number > 1]
        if twice:
            message = f"{twice[0]!r} is there twice: give each voter, coordinator and submitter a name of its own"
            raise ValueError(message)
        return self

    def place(self) -> Path | None:
        """The folder of the parts' disks, where one is named."""
        return None if self.folder is None else Path(self.folder).expanduser()


class SwarmProfile(Section):
    """What a process of the quorum reads of a profile.

    :param plugins: the plugins to load, by name; core is always there.
    """

    swarm: SwarmSection = Field(description="[swarm], as coinswarm memory init writes it")
    plugins: list[Name] = Field(default_factory=list)
    memory: MemorySection | None = None
    drivers: DriversSection = DriversSection()
    trust: list[str] = Field(default_factory=list)


def load_swarm(path: Path, overrides: Sequence[str] = ()) -> SwarmProfile:
    """Read what the quorum needs of a profile; what a session needs may be there, and is not looked at.

    Paths in it are relative to its folder.

    :param overrides: ``KEY=VALUE`` each, as given to ``--set``.
    :raises ProfileError: with one line per finding.
    """
    from coinswarm.config.profile import Profile  # noqa: PLC0415 - which knows this module's sections

    if not path.exists():
        message = f"there is no profile {str(path)!r}"
        raise ProfileError(message, remedy="name a file; coinswarm memory init writes one")
    data = read_toml(path)
    anchor_swarm(data, path.parent)
    places = [apply_override(data, *parse_override(text)) for text in overrides]
    if "swarm" not in data:
        message = f"{path} has no [swarm]"
        raise ProfileError(message, remedy="coinswarm memory init writes one")
    others = set(Profile.model_fields) - set(SwarmProfile.model_fields)
    try:
        return SwarmProfile.model_validate({key: value for key, value in data.items() if key not in others})
    except ValidationError as error:
        raise ProfileError(explain(error, SwarmProfile, origin(places, str(path)))) from None


def anchor_swarm(data: Mapping[str, Any], folder: Path) -> None:
    """Make the paths of ``[swarm]``, and of references to secret files, relative to the working directory, in place.

    Settings of drivers and of the memory backend learn where they stand: their models know which are paths.
    """
    for key in ("swarm", "committee", "memory", "drivers"):
        anchor_references(data.get(key), folder)
    drivers = data.get("drivers")
    for section in (data.get("memory"), *(drivers.values() if isinstance(drivers, dict) else ())):
        if isinstance(section, dict) and "settings" in section:
            section["settings"] = anchor_texts(section["settings"], folder)
    swarm = data.get("swarm")
    if not isinstance(swarm, dict):
        return
    for key in ("roster", "folder", "database"):
        value = swarm.get(key)
        if isinstance(value, str) and value and "://" not in value:
            swarm[key] = anchored(value, folder)
