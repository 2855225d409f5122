"""TLS and identities, against real servers that demand them: who is let in, what he may do, and what a refusal says."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from coinswarm.domain.health import Condition, Health
from coinswarm.domain.stored import Message
from coinswarm.errors import CoinswarmError, OperatorError
from coinswarm_nats.bus import NatsBus
from coinswarm_nats.nkey import Identity, seed_of
from coinswarm_nats.settings import NatsSettings
from coinswarm_testkit.servers.nats import nats_server
from coinswarm_testkit.servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Heard, Told

pytestmark = pytest.mark.usefixtures("nats_url")

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_500)
VOTER, READER, STRANGER = (seed_of(bytes([number]) * 32) for number in (1, 2, 3))


class Authority:
    """Signs certificates, and writes them and their keys as files."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = self._written(f"{name}.pem", self._signed(self._name, self._key, authority=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1 and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        certificate = self._written(f"{name}.pem", self._signed(subject, key, authority=False))
        return certificate, self._written(f"{name}.key", private)

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> bytes:
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGIN)
            .not_valid_after(END)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(address, critical=False)
            .add_extension(identifier, critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def _written(self, name: str, data: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(data)
        return path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="module")
def encrypted(authority: Authority, nats_url: str) -> Iterator[str]:  # noqa: ARG001 - skips where there is no server
    """A server that speaks TLS only and demands a certificate."""
    certificate, key = authority.issue("server")
    files = f'cert_file: "{certificate}", key_file: "{key}", ca_file: "{authority.file}"'
    with nats_server(f"tls {{ {files}, verify: true }}") as server:
        yield server.url.replace("nats://", "tls://")


IDENTITIES = f"""
authorization {{
  users = [
    {{ nkey: {Identity(VOTER).public}, permissions: {{
      publish: ["coinswarm.mem.vote", "coinswarm.audit.>"], subscribe: ["coinswarm.mem.>", "_INBOX.v1.>"] }} }}
    {{ nkey: {Identity(READER).public} }}
  ]
}}
"""


@pytest.fixture(scope="module")
def guarded(nats_url: str) -> Iterator[str]:  # noqa: ARG001 - as above
    """A server that knows two identities: a voter with few permissions and a reader with all."""
    with nats_server(IDENTITIES) as server:
        yield server.url


def made(url: str, seed: str = "", **settings: Any) -> NatsBus:  # noqa: ANN401 - any setting
    given = {"nkey_seed": SecretStr(seed)} if seed else {}
    return NatsBus(NatsSettings(url=url, **{"first_pause": 0.01, **given, **settings}))


def refusal(bus: NatsBus) -> CoinswarmError:
    """The error that opening a bus raises."""

    async def opened() -> None:
        async with bus:
            raise AssertionError

    with pytest.raises(OperatorError) as raised:
        anyio.run(opened)
    return raised.value


def test_with_the_right_files_it_talks_in_secret(encrypted: str, authority: Authority, heard: Heard) -> None:
    certificate, key = authority.issue("client")

    async def talk() -> None:
        async with made(encrypted, ca_file=authority.file, certificate_file=certificate, key_file=key) as bus:
            await bus.subscribe("a", heard)
            await bus.publish("a", b"hello")
            await heard.until(lambda it: it == [b"hello"])

    anyio.run(talk)


def test_a_secret_line_that_stalls_is_lost_too(encrypted: str, authority: Authority, told: Told) -> None:
    certificate, key = authority.issue("patient")
    files: dict[str, Any] = {"ca_file": authority.file, "certificate_file": certificate, "key_file": key}

    async def play() -> None:
        address = urlsplit(encrypted)
        async with (
            Proxy(address.hostname or "", address.port or 0) as proxy,
            made(f"tls://{proxy.address}", ping_seconds=0.02, **files) as bus,
        ):
            bus.on_error(told)
            proxy.stall()
            await told.until("is lost")  # it would wait for half a minute for the other side to say good-bye

    anyio.run(play)


def test_a_server_that_nobody_vouches_for_is_refused(encrypted: str, authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("careful")
    theirs = Authority(tmp_path, "theirs").file
    error = refusal(made(encrypted, ca_file=theirs, certificate_file=certificate, key_file=key))
    assert f"the certificate of the NATS server {encrypted} is not trusted" in str(error)
    assert "ca_file" in error.remedy


def test_without_a_certificate_that_the_server_demands_it_is_told_which_settings(
    encrypted: str, authority: Authority
) -> None:
    error = refusal(made(encrypted, ca_file=authority.file))
    assert f"the NATS server {encrypted} demands a certificate" in str(error)
    assert "certificate_file and key_file" in error.remedy


def test_a_server_without_tls_is_sent_nothing_where_tls_is_wanted(guarded: str) -> None:
    error = refusal(made(guarded.replace("nats://", "tls://"), READER))
    assert "offers no TLS" in str(error)


@pytest.mark.parametrize("content", [None, "no PEM at all"])
def test_files_that_cannot_be_used_are_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_text(content)
    error = refusal(made("tls://127.0.0.1:1", ca_file=path))
    assert str(path) in str(error)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(authority: Authority, tmp_path: Path) -> None:
    certificate, _ = authority.issue("locked")
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"hunter2"),
    )
    (tmp_path / "locked.key").write_bytes(locked)
    error = refusal(made("tls://127.0.0.1:1", certificate_file=certificate, key_file=tmp_path / "locked.key"))
    assert "unencrypted key" in error.remedy


@pytest.mark.parametrize("seed", [STRANGER, ""])
def test_who_is_not_known_is_refused(guarded: str, seed: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bus = made(guarded, seed)
    error = refusal(bus)
    assert f"the NATS server {guarded} refuses the credentials" in str(error)
    assert "nkey_seed" in error.remedy
    for text in (str(error), repr(error), repr(bus), caplog.text):
        assert not seed or seed not in text


def test_an_identity_may_do_what_the_server_allows_and_is_told_what_it_may_not(
    guarded: str, heard: Heard, told: Told
) -> None:
    async def play() -> None:
        async with made(guarded, VOTER, inbox="v1") as voter, made(guarded, READER, prefix="coinswarm") as reader:
            voter.on_error(told)
            await reader.subscribe(">", heard)
            with pytest.raises(OperatorError, match=r"does not allow .* subscription to \"coinswarm.planner.vote\""):
                await voter.subscribe("planner.vote", heard)
            await voter.subscribe("mem.commit", heard)
            await voter.publish("mem.commit", b"forged")
            await told.until('publish to "coinswarm.mem.commit"')
            with pytest.raises(OperatorError, match=r'publish to "coinswarm\.planner\.vote"'):
                await voter.publish_batch([Message("mem.vote", b"in a batch"), Message("planner.vote", b"forged")])
            with pytest.raises(OperatorError, match=r'publish to "coinswarm\.planner\.propose"'):
                await voter.request("planner.propose", b"forged", seconds=300)
            await voter.publish("mem.vote", b"ballot")
            await heard.until(lambda it: b"ballot" in it)

    anyio.run(play)
    assert heard == [b"in a batch", b"ballot"]
    assert [type(error) for error in told] == [OperatorError]


def test_answers_come_to_an_inbox_that_only_this_identity_hears(guarded: str, heard: Heard) -> None:
    async def play() -> bytes:
        async with made(guarded, VOTER, inbox="v1") as voter, made(guarded, READER) as reader:

            async def answer(message: Message) -> None:
                await reader.publish(message.reply, b"answer")

            await reader.subscribe("audit.head", answer)
            with pytest.raises(OperatorError, match="subscription"):
                await voter.subscribe("_INBOX.v2.>", heard)
            return (await voter.request("audit.head", b"", seconds=5)).data

    assert anyio.run(play) == b"answer"


def test_who_may_not_hear_answers_is_told_which_setting_and_nothing_is_asked(guarded: str, heard: Heard) -> None:
    async def play() -> None:
        async with made(guarded, VOTER) as voter, made(guarded, READER) as reader:
            await reader.subscribe("audit.>", heard)
            for _ in range(2):
                with pytest.raises(OperatorError, match=r"subscription to \"_inbox\..*: set inbox to"):
                    await voter.request("audit.head", b"asked", seconds=5)
            await voter.publish("audit.head", b"said")
            await heard.until(lambda it: b"said" in it)
            assert len([task for task in asyncio.all_tasks() if "_wait_for_msgs" in repr(task)]) <= 1, "the reader's"

    anyio.run(play)
    assert heard == [b"said"]


@pytest.mark.parametrize(
    ("allowed", "instead", "why"),
    [
        (Identity(VOTER).public, Identity(STRANGER).public, "refuses the credentials"),
        ('subscribe: ["coinswarm.mem.>"', 'subscribe: ["coinswarm.mem.vote"', 'subscription to "coinswarm.mem.commit"'),
    ],
)
def test_who_is_let_in_no_more_is_told_and_comes_back_when_he_is(
    told: Told, heard: Heard, allowed: str, instead: str, why: str
) -> None:
    async def play() -> Health:
        with ExitStack() as first:
            url = first.enter_context(nats_server(IDENTITIES)).url
            port = urlsplit(url).port or 0
            async with made(url, VOTER, inbox="v1") as bus:
                bus.on_error(told)
                for subject in ("mem.vote", "mem.commit"):
                    await bus.subscribe(subject, heard)
                await anyio.to_thread.run_sync(first.close)
                with nats_server(IDENTITIES.replace(allowed, instead), port=port):
                    await told.until(why)
                    health = await bus.health()
                with nats_server(IDENTITIES, port=port), anyio.fail_after(10):
                    while (await bus.health()).condition is not Condition.GOOD:  # noqa: ASYNC110 - what users see
                        await anyio.sleep(0.01)
        return health

    health = anyio.run(play)
    assert health.condition is Condition.DOWN
    assert why in health.reason
