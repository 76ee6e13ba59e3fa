"""What a look at the broker's contract comes to: one line for people a check."""

from enum import Enum

import msgspec


class Verdict(Enum):
    """What is to be said of one check."""

    PASS = "pass"
    DRIFTED = "drifted"
    """The broker does otherwise than we know, in what we go by."""
    UNKNOWN = "could not tell"
    """No answer, or none that says anything: never taken for a drift, nor for none."""
    NOT_NOW = "not now"
    """It can be seen at another time only."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at one check. `news` is what is new to us there, and changes nothing."""

    check: str
    verdict: Verdict
    line: str
    news: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of one run. `at` is when it began (UTC, ISO), `contract` the date of what was known.

    `remains` names each order that the run may have left at the broker: a person has to look.
    """

    at: str
    version: str
    contract: str
    venue: str
    account: str
    lines: tuple[Line, ...]
    remains: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether all that was asked passed, and nothing is left."""
        fine = (Verdict.PASS, Verdict.NOT_NOW)
        return not self.remains and all(each.verdict in fine for each in self.lines)
