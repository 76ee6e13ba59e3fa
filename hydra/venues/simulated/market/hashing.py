"""Numbers and names that look drawn but are not: the same text gives the same, everywhere."""

import hashlib
import uuid


def number_of(text: str) -> int:
    """A whole number from 0 to under 2⁶⁴."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def share_of(text: str) -> float:
    """A number from 0 to under 1."""
    return (number_of(text) >> 11) / 2.0**53


def id_of(kind: str, name: str) -> str:
    """The UUID of a thing of this kind (RFC 9562, version 5: by its name)."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}|{name}"))


_NAMESPACE = uuid.UUID("6d0b7c1e-2f0e-5b2a-9c33-5a1d8f1e4c77")
