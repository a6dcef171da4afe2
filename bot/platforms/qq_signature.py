"""Ed25519 as the QQ open platform signs callbacks: the key grows from the bot's secret (platforms.md 5.2)."""

from __future__ import annotations

import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEED_BYTES = 32
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STAMP = re.compile(r"[0-9]{1,12}")


def key_of(secret: str) -> Ed25519PrivateKey:
    """The secret repeated until it fills a seed, then cut."""
    raw = secret.encode()
    return Ed25519PrivateKey.from_private_bytes((raw * (SEED_BYTES // len(raw) + 1))[:SEED_BYTES])


def sign(key: Ed25519PrivateKey, stamp: str, body: bytes) -> str:
    """What X-Signature-Ed25519 says of a callback."""
    return key.sign(stamp.encode() + body).hex()


def signed(key: Ed25519PublicKey, stamp: str, signature: str, body: bytes) -> bool:
    """Whether the platform sent this body at this moment."""
    if not _STAMP.fullmatch(stamp) or not _SIGNATURE.fullmatch(signature):
        return False
    raw = bytes.fromhex(signature)
    if raw[63] & 224:
        return False
    try:
        key.verify(raw, stamp.encode() + body)
    except InvalidSignature:
        return False
    return True


def challenge_answer(key: Ed25519PrivateKey, event_ts: object, plain_token: object) -> dict[str, str] | None:
    """The answer to op 13; None for what is no stamp and no token.

    We sign whatever stands there, and stamp + token could spell a callback of somebody's making: so only digits and a
    short word are signed, never a body.
    """
    if not isinstance(event_ts, str) or not isinstance(plain_token, str):
        return None
    if not _STAMP.fullmatch(event_ts) or not _TOKEN.fullmatch(plain_token):
        return None
    return {"plain_token": plain_token, "signature": sign(key, event_ts, plain_token.encode())}
