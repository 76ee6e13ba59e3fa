"""Names and chance at the brokerage: both by hashing a seed and a count, so that they repeat."""

import hashlib
from decimal import Decimal
from itertools import count
from uuid import UUID


class Ids:
    """A fresh UUID at each call; the same seed gives the same ones in the same order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._numbers = count(1)

    def fresh(self) -> str:
        """The next one."""
        return uuid_of(self._seed, next(self._numbers))


def uuid_of(seed: int, *words: object) -> str:
    """The UUID (version 4, by its look) that belongs to these words."""
    return str(UUID(bytes=_digest(seed, words), version=4))


def chance(seed: int, *words: object) -> Decimal:
    """A number of at least 0 and under 1, in ten-thousandths, that belongs to these words."""
    return Decimal(int.from_bytes(_digest(seed, words)) % 10_000).scaleb(-4)


def _digest(seed: int, words: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr((seed, *words)).encode(), digest_size=16).digest()
