"""A private deployment with a certificate of its own is trusted through `ca`, and only then."""

from __future__ import annotations

import datetime
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.fetcher import Fetcher
from config.errors import SendError


def certificate(folder: Path) -> tuple[Path, Path]:
    """One for 127.0.0.1 that signs itself: (certificate, key)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "ca.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))
    return paths


@pytest.mark.asyncio
async def test_only_the_named_authority_is_trusted(tmp_path: Path) -> None:
    ca, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, key)
    app = web.Application()
    app.router.add_get("/x", _answer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    trusting, strict = Fetcher(("127.0.0.1",), str(ca)), Fetcher(("127.0.0.1",))
    address = str(server.make_url("/x")).replace("localhost", "127.0.0.1")
    try:
        assert await trusting.get(address) == b"ok"
        with pytest.raises(SendError):
            await strict.get(address)
    finally:
        await trusting.close()
        await strict.close()
        await server.close()


async def _answer(request: web.Request) -> web.Response:
    return web.Response(text="ok")
