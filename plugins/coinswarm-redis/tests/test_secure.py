"""TLS: a real handshake before a real Redis. The server of the wheel has none itself: a relay ends it in front."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSListener
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from coinswarm.domain.health import Condition, Health
from coinswarm_redis.backend import RedisMemory
from coinswarm_redis.settings import RedisSettings

if TYPE_CHECKING:
    from pathlib import Path

    from anyio.abc import ByteStream

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    signed, private = folder / f"{name}.pem", folder / f"{name}.key"
    signed.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return signed, private


async def relayed(stream: ByteStream, port: int) -> None:
    """Hand on what comes in either direction, until one side ends."""

    async def one_way(source: ByteStream, target: ByteStream, scope: anyio.CancelScope) -> None:
        try:
            while True:
                await target.send(await source.receive())
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            scope.cancel()

    async with stream, await anyio.connect_tcp("127.0.0.1", port) as redis, anyio.create_task_group() as group:
        group.start_soon(one_way, stream, redis, group.cancel_scope)
        group.start_soon(one_way, redis, stream, group.cancel_scope)


def test_only_a_server_that_an_authority_of_ours_signed_is_talked_to(redis_url: str, tmp_path: Path) -> None:
    signed, private = certificate(tmp_path, "server")
    ours = certificate(tmp_path, "client")
    other, _ = certificate(tmp_path, "other")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ours[0])
    context.load_cert_chain(signed, private)
    context.verify_mode = ssl.CERT_REQUIRED
    behind = urlsplit(redis_url).port or 6379

    async def work() -> list[Health]:
        found = []
        async with AsyncExitStack() as stack, anyio.create_task_group() as group:
            plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
            listener = await stack.enter_async_context(TLSListener(plain, context, standard_compatible=False))
            port = plain.extra(SocketAttribute.local_port)  # noqa: S610 - no Django here

            async def serve(stream: ByteStream) -> None:
                await relayed(stream, behind)

            group.start_soon(listener.serve, serve)
            url = f"rediss://127.0.0.1:{port}"
            identity = {"certificate_file": ours[0], "key_file": ours[1]}
            for settings in (
                RedisSettings(url=url, ca_file=signed, **identity),
                RedisSettings(url=url, ca_file=other, retries=0, **identity),
                RedisSettings(url=f"redis://127.0.0.1:{port}", retries=0, connect_seconds=2, answer_seconds=0.5),
            ):
                memory = RedisMemory(settings)
                found.append(await memory.health())
                await memory.close()
            group.cancel_scope.cancel()
        return found

    good, stranger, plain = anyio.run(work)
    assert good.condition is Condition.GOOD
    assert stranger.condition is Condition.DOWN
    assert "certificate" in stranger.reason.lower()
    assert plain.condition is Condition.DOWN
