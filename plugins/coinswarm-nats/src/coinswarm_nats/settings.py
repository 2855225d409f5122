"""Settings of the bus ``nats``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_WORDS = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class NatsSettings(BaseModel):
    """What a profile may set for ``nats``; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    url: str = "nats://127.0.0.1:4222"
    """One server, or several of one cluster joined by commas; ``tls://`` refuses a server without TLS."""
    prefix: str = "coinswarm"
    """Words before every subject, so that swarms that share a server do not hear one another; none begins another's."""
    inbox: str = ""
    """Words after ``_INBOX`` where answers to this identity's requests are sent; the server can keep others from it."""
    client_name: str = Field(default="coinswarm", max_length=100)
    """What the server's own monitoring calls this connection."""
    nkey_seed: SecretStr | None = None
    """The identity: seed of a user NKEY (``SU…``), by reference."""
    ca_file: Path | None = None
    """PEM file of the authorities that may have signed the server's certificate; the system's where None."""
    certificate_file: Path | None = None
    """PEM file of our own certificate, where the server demands one; with ``key_file``."""
    key_file: Path | None = None
    """PEM file of that certificate's private key."""
    connect_seconds: float = Field(default=5.0, gt=0, le=300)
    """How long one server may take to answer when it is connected to."""
    answer_seconds: float = Field(default=5.0, gt=0, le=300)
    """How long it may take to confirm a batch or a subscription."""
    ping_seconds: float = Field(default=10.0, gt=0, le=3_600)
    """After how much silence it is asked whether it is there; two questions without an answer are a lost connection."""
    first_pause: float = Field(default=0.1, gt=0, le=60)
    """Seconds before a lost connection is tried again; doubled after each failure."""
    most_pause: float = Field(default=10.0, gt=0, le=3_600)
    """Where the doubling ends."""
    pending: int = Field(default=65_536, ge=1, le=10_000_000)
    """Messages that a subscription may be behind; more are dropped and told as an error."""
    pending_bytes: int = Field(default=64 << 20, ge=1 << 20, le=1 << 40)
    """Bytes that it may be behind."""
    drain_seconds: float = Field(default=5.0, ge=0, le=300)
    """How long what is pending may take when the bus is left."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Each server's address."""
        return tuple(part.strip() for part in self.url.split(","))

    @field_validator("url")
    @classmethod
    def _addresses(cls, value: str) -> str:
        """Each names a scheme and a host, and no secret: an address is shown in messages."""
        for part in value.split(","):
            try:
                address = urlsplit(part.strip())
                good = address.scheme in {"nats", "tls"} and bool(address.hostname) and address.port != 0
                (address.hostname or "").encode("idna")  # as it is looked up
            except ValueError:
                good, address = False, urlsplit("")
            if "@" in part:
                message = "an address with a user or a password in it: leave them out, an identity is an nkey_seed"
                raise ValueError(message)
            if not good or address.path or address.query or address.fragment:
                message = f"{part.strip()!r} is no address: write nats://HOST:PORT or tls://HOST:PORT"
                raise ValueError(message)
        return value

    @field_validator("prefix", "inbox")
    @classmethod
    def _subject_words(cls, value: str) -> str:
        """Words that subjects may begin with."""
        if value and (not _WORDS.fullmatch(value) or value.partition(".")[0] == "_INBOX"):
            message = f"{value!r}: write words of letters, digits, - and _ joined by dots, the first not _INBOX"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """What belongs together is there together."""
        if not self.prefix:
            message = "prefix is empty: write at least one word"
            raise ValueError(message)
        if (self.certificate_file is None) != (self.key_file is None):
            message = "certificate_file and key_file: name both or none"
            raise ValueError(message)
        if self.most_pause < self.first_pause:
            message = f"most_pause is {self.most_pause:g}, less than first_pause, which is {self.first_pause:g}"
            raise ValueError(message)
        return self
