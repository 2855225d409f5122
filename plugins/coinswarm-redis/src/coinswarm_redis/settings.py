"""Settings of the memory backend ``redis``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

WIDE = 128
"""From so many numbers on a vector is searched by eight bits of each: of 12 it took as long, of 384 a quarter less."""


class RedisSettings(BaseModel):
    """What a profile may set for ``redis``; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    url: str = "redis://127.0.0.1:6379/0"
    """``redis://HOST:PORT/DATABASE``, ``rediss://`` with TLS, or ``unix:///PATH``; without user and password."""
    username: str = ""
    """The user of Redis' access list; empty for the default user."""
    password: SecretStr | None = None
    """That user's password, by reference."""
    ca_file: Path | None = None
    """PEM file of the authorities that may have signed the server's certificate; the system's where None."""
    certificate_file: Path | None = None
    """PEM file of our own certificate, where the server demands one; with ``key_file``."""
    key_file: Path | None = None
    """PEM file of that certificate's private key."""
    prefix: str = Field(default="coinswarm", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    """First word of every key."""
    connections: int = Field(default=16, ge=1, le=1_000)
    """Calls that may be under way at once; more wait."""
    connect_seconds: float = Field(default=5.0, gt=0, le=300)
    """How long the server may take to be connected to."""
    answer_seconds: float = Field(default=10.0, gt=0, le=300)
    """How long it may take to answer a call."""
    retries: int = Field(default=3, ge=0, le=20)
    """How often a call whose connection broke is tried again; the pauses grow from 0.05 to 1 s."""
    links: int = Field(default=16, ge=4, le=512)
    """Links of a node of the graph (``M``); counts for spaces that are made from now on."""
    quantization: Literal["auto", "q8", "none"] = "auto"
    """What the graph is searched by: eight bits of each number, or single precision; for spaces made from now on, too.
    ``auto`` is eight bits where vectors are wide (``WIDE``): narrow ones are searched no sooner by them."""
    build_effort: int = Field(default=200, ge=1, le=100_000)
    """Candidates that are looked at to place an episode (``EF`` of ``VADD``)."""
    search_effort: int = Field(default=64, ge=2, le=100_000)
    """Candidates that are looked at to recall, at least (``EF`` of ``VSIM``); five times as many where it filters."""

    def kept(self, dimension: int) -> str:
        """The word of ``VADD`` for how vectors of a width are kept in a space that is new."""
        coarse = self.quantization == "q8" or (self.quantization == "auto" and dimension >= WIDE)
        return "Q8" if coarse else "NOQUANT"

    @property
    def shown(self) -> str:
        """How messages call the server: its address holds no secret."""
        return f"Redis at {self.url}"

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        """It names a scheme and a host or path, and no secret: an address is shown in messages."""
        try:
            address = urlsplit(value)
            good = address.port != 0
        except ValueError:
            address, good = urlsplit(""), False
        if "@" in value or "password" in address.query or "username" in address.query:
            message = "an address with a user or a password in it: leave them out, and set username and password"
            raise ValueError(message)
        host = address.scheme in {"redis", "rediss"} and address.hostname
        database = address.path.strip("/")
        if not good or address.query or address.fragment or (host and database and not database.isdecimal()):
            host = None
        if not host and not (address.scheme == "unix" and address.path and not address.netloc and good):
            message = f"{value!r} is no address: write redis://HOST:PORT/DATABASE, rediss://… or unix:///PATH"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """What belongs together is there together."""
        if (self.certificate_file is None) != (self.key_file is None):
            message = "certificate_file and key_file: name both or none"
            raise ValueError(message)
        if (self.ca_file or self.certificate_file) and not self.url.startswith("rediss://"):
            message = f"files for TLS are named, but url is {self.url!r}: write rediss://…"
            raise ValueError(message)
        if self.username and self.password is None:
            message = f"username is {self.username!r} without a password"
            raise ValueError(message)
        return self
