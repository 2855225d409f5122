"""A quorum's beginning: keys that are missing, the roster of version 0, and a profile that names both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coinswarm.canonical import digest
from coinswarm.config.fields import holds_password
from coinswarm.domain.acceptance import OPERATOR, AcceptanceRules
from coinswarm.errors import NotReadyError, OperatorError, OutputError
from coinswarm.memory.quorum.keys import is_key
from coinswarm.memory.quorum.roster import Roster, Seat
from coinswarm.memory.quorum.sizes import spare
from coinswarm.runtime.swarm import keyring
from coinswarm.runtime.swarm.keyring import keys_folder
from coinswarm.writing import replace_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BUNDLED = ("decimals", "integers")
"""Core's two voters, given to seats in turn: seats that all run one program fail together."""

COORDINATORS = ("c1", "c2")
"""They take turns: when one is gone the other goes on."""

PROFILE = """\
# The quorum {cluster}/{shard}: {sizes}. Written by coinswarm memory init.

[drivers.bus]
name = "nats"                      # of the package coinswarm-nats
settings = {{ url = "nats://127.0.0.1:4222", prefix = "{cluster}" }}

[swarm]
cluster = "{cluster}"
shard = "{shard}"
roster = "{roster}"
database = "{database}"
coordinators = [{coordinators}]

[swarm.submitter]
id = "{submitter}"
"""

SEAT = """
[[swarm.voters]]
id = "{name}"
voter = "{voter}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What is asked for.

    :param voters: seat -> its public key; empty where its secret is here, or is to be made here.
    :param submitter: the same of who proposes.
    :param operator: public key of the operator, who alone may ask for other rules, voters and agents, and for the first
        weights; empty as above.
    :param faulty: how many voters may lie; None: as many as there are voters for.
    :param database: as a profile has it.
    :param folder: where the files are written.
    """

    cluster: str
    shard: str
    voters: Mapping[str, str]
    submitter: tuple[str, str]
    faulty: int | None
    database: str
    folder: Path
    operator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """What was made.

    :param made: seats whose keys were made here now.
    """

    cluster: str
    shard: str
    roster: Roster
    roster_file: Path
    profile: Path
    made: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, object]:
        """For machines."""
        return {
            "cluster": self.cluster,
            "shard": self.shard,
            "profile": str(self.profile),
            "roster": str(self.roster_file),
            "voters": dict(self.roster.voter_keys),
            "submitters": dict(self.roster.submitter_keys),
            "quorum": self.roster.quorum,
            "faulty": self.roster.faulty,
            "made": self.made,
        }

    def lines(self) -> list[str]:
        """For people: what there is now, and what to do next."""
        keys = f"keys made: {', '.join(self.made)}" if self.made else "all keys were there already"
        names = list(self.roster.voter_keys)
        return [
            f"{self.cluster}/{self.shard}: {sizes(self.roster)}",
            f"{keys} (in {keys_folder()})",
            f"wrote {self.roster_file} and {self.profile}",
            "Copy both files to every host, and each secret key to its seat's host alone. Then, each in a process:",
            *(f"  coinswarm run voter --id {name} --profile {self.profile}" for name in names),
            *(f"  coinswarm run coordinator --id {name} --profile {self.profile}" for name in COORDINATORS),
        ]


def sizes(roster: Roster) -> str:
    """A quorum's sizes in words, and what they bear."""
    voters, faulty = len(roster.voters), roster.faulty
    silent = spare(voters, faulty)
    lies = (
        "no liar: a single voter that lies, or two that err alike, can decide wrongly"
        if not faulty
        else (f"{faulty} that {'lies' if faulty == 1 else 'lie'}")
    )
    return f"{roster.quorum} of {voters} voters decide; bears {silent} silent, and {lies}"


def found(asked: Founding) -> Founded:
    """Make the keys, and write the files; nothing that is there is written over.

    :raises OutputError: when a file is there already, or cannot be written.
    :raises NotReadyError: for a key that cannot be read.
    :raises OperatorError: for sizes that cannot work, a public key that is none, and a password: no profile holds one.
    """
    if holds_password(asked.database):
        message = "the URL of the database holds a password, and a profile holds none"
        remedy = 'leave --database out, and write database = {env = "COINSWARM_DATABASE_URL"} into the profile'
        raise OperatorError(message, remedy=remedy)
    roster_file = asked.folder / f"{asked.cluster}-{asked.shard}.roster.json"
    profile = asked.folder / f"{asked.cluster}-{asked.shard}.toml"
    for path in (roster_file, profile):
        if path.exists():
            message = f"{path} is there already"
            raise OutputError(message, remedy="a quorum begins once: name another --cluster or --out, or move it away")
    made: list[str] = []
    count = len(asked.voters)
    faulty = (count - 1) // 3 if asked.faulty is None else asked.faulty
    name, key = asked.submitter
    proposers = {name: key, OPERATOR: asked.operator or (key if name == OPERATOR else "")}
    for seat, public in {**asked.voters, **proposers}.items():
        if public and not is_key(public):
            message = f"{public!r}, given for {seat}, is no public key"
            raise OperatorError(message, remedy=f"coinswarm memory keys show {seat} prints it, where its secret is")
    try:
        roster = Roster(
            version=0,
            faulty=faulty,
            rules=rules_digest(AcceptanceRules()),
            voters=tuple(Seat(seat, public or _here(seat, made)) for seat, public in asked.voters.items()),
            submitters=tuple(Seat(one, public or _here(one, made)) for one, public in proposers.items()),
        )
    except ValueError as error:
        raise OperatorError(str(error), remedy="name more voters, or fewer that may lie") from None
    text = PROFILE.format(
        cluster=asked.cluster,
        shard=asked.shard,
        sizes=sizes(roster),
        roster=roster_file.name,
        database=asked.database,
        coordinators=", ".join(f'"{one}"' for one in COORDINATORS),
        submitter=name,
    )
    seats = [SEAT.format(name=seat, voter=BUNDLED[place % len(BUNDLED)]) for place, seat in enumerate(asked.voters)]
    try:
        replace_bytes(roster_file, f"{roster.text()}\n".encode())
        replace_bytes(profile, "".join([text, *seats]).encode())
    except OSError as error:
        message = f"the files cannot be written to {asked.folder} ({error.strerror})"
        raise OutputError(message, remedy="name another --out") from error
    return Founded(
        cluster=asked.cluster, shard=asked.shard, roster=roster, roster_file=roster_file, profile=profile, made=made
    )


def rules_digest(rules: AcceptanceRules) -> str:
    """The digest of the acceptance rules, as a roster has it."""
    numbers = {name: getattr(rules, name) for name in type(rules).__dataclass_fields__}
    return digest({"schema": "coinswarm.rules/1", **numbers})


def _here(name: str, made: list[str]) -> str:
    """The public half of a seat's key in this folder, which is made if it is not there."""
    folder = keys_folder()
    try:
        return keyring.read(folder, name).key
    except NotReadyError:
        if (folder / f"{name}{keyring.SUFFIX}").exists():
            raise
    signer = keyring.create(folder, name)
    made.append(name)
    return signer.key
