"""What is fuzzed: a reader of the product, what it may answer, and what must be true of that."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

Feed = Callable[[bytes], "Verdict"]
Spoil = Callable[[bytes, random.Random], bytes]
"""Makes another input of one. It knows the format, so that most of what it makes is read far."""


class Verdict(Enum):
    """What a reader made of an input."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """It said so in its documented way."""


class Broken(AssertionError):
    """The reader lives, and what it made of the input is wrong: the oracle of a target says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader.

    `feed` gives an input to it exactly as production does, and raises `Broken` where the oracle
    finds what must not be. `refusals` are the exceptions by which it is documented to refuse; any
    other is a finding. `seeds` are valid inputs. Times are CPU seconds: others share the machine.
    """

    name: str
    feed: Feed
    seeds: tuple[bytes, ...]
    spoil: Spoil
    refusals: tuple[type[Exception], ...] = ()
    huge: tuple[Callable[[], bytes], ...] = ()
    """Inputs too large to be kept as files: each is made, and fed once in a run."""
    seconds_max: float = 1.0
    """For one input; more is a hang."""
    peak_mib_max: float = 64.0
    """By how much all inputs together may raise the process's peak of memory."""
    input_bytes_max: int = 64 * 1024


def require(claim: bool, said: str) -> None:
    """Raise `Broken` unless the claim holds."""
    if not claim:
        raise Broken(said)


def require_one_line(refusal: Exception) -> None:
    """What a person is told is one line, and does nothing to their terminal."""
    require(str(refusal).isprintable(), f"not fit for a terminal: {str(refusal)!r:.300}")
