"""The key pair that opens the venue."""

from secrets import compare_digest

import msgspec


class ApiKeys(msgspec.Struct, frozen=True):
    """A key id and its secret. They are the venue's own, and open nothing else."""

    key_id: str
    secret: str

    def fit(self, key_id: str, secret: str) -> bool:
        """Whether these are they; takes as long if they are not."""
        given = f"{key_id}\x1f{secret}".encode()
        return compare_digest(given, f"{self.key_id}\x1f{self.secret}".encode())

    def __repr__(self) -> str:
        return f"ApiKeys({self.key_id!r}, ***)"
