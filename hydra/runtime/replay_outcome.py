"""How a replay of a recorded session ends: in the same state, or at the first difference."""

from __future__ import annotations

import msgspec

SHOWN_MAX = 600
"""Characters of a side of a difference."""
NOTHING = "nothing"
"""A side that has nothing where the other one has something."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing in which the replay is not what was recorded. `number` counts entries."""

    number: int
    at: int
    cell: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        return (
            f"message {self.number} at {self.at}, in {self.cell}:\n"
            f"  recorded: {self.recorded}\n  replayed: {self.replayed}"
        )


class Differs(BaseException):
    """Raised through whatever is running: nothing after the first difference means anything."""

    def __init__(self, recorded: object, replayed: object) -> None:
        super().__init__(f"recorded: {recorded}; replayed: {replayed}")
        self.recorded = str(recorded)
        self.replayed = str(replayed)


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How a replay ended. `messages` is how many were replayed.

    A hash names how a side ended: every actor's state, what stood in the gate, how far the ledger
    was; None: that side did not come to its end in order.
    `incomplete` says why the recording ends before the session did; "": it does not.
    """

    messages: int
    seconds: float
    recorded_hash: str | None
    replayed_hash: str | None
    difference: Difference | None
    incomplete: str

    @property
    def is_same(self) -> bool:
        """The whole session was recorded, and the replay ended as it did."""
        is_whole = self.recorded_hash is not None and not self.incomplete
        return is_whole and self.difference is None and self.recorded_hash == self.replayed_hash

    @property
    def messages_per_second(self) -> float:
        """How fast it went."""
        return self.messages / self.seconds if self.seconds else 0.0


def from_where_they_differ(one: str, other: str) -> tuple[str, str]:
    """Long texts from a little before their first difference on; short ones as they are."""
    if max(len(one), len(other)) <= SHOWN_MAX:
        return one, other
    pairs = enumerate(zip(one, other, strict=False))
    alike = next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
    begins = max(0, alike - SHOWN_MAX // 4)
    return _cut(one, begins), _cut(other, begins)


def _cut(text: str, begins: int) -> str:
    ends = begins + SHOWN_MAX
    before, after = "... " if begins else "", " ..." if len(text) > ends else ""
    return f"{before}{text[begins:ends]}{after}"
