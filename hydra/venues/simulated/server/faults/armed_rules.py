"""Rules that wait for what they strike, and how often they still may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar


class Counted(Protocol):
    """A rule passes over the first `skip` that it means, and strikes `times` ones of the rest, each
    `every`-th; None: all.
    """

    @property
    def skip(self) -> int:
        """How many are passed over."""

    @property
    def every(self) -> int:
        """Of so many, the first is struck."""

    @property
    def times(self) -> int | None:
        """How many are struck."""


R = TypeVar("R", bound=Counted)


class Armed(Generic[R]):
    """One rule, from when it was given until it is taken back."""

    def __init__(self, number: int, rule: R) -> None:
        self.number = number
        self.rule = rule
        self.skips_left = rule.skip
        self._between = rule.every - 1
        self.strikes_left = rule.times
        self.released = asyncio.Event()
        """It was taken back: what it holds back goes on its way."""

    def strikes(self) -> bool:
        """Whether it strikes this one, of those that it means; it counts."""
        if self.skips_left:
            self.skips_left -= 1
            return False
        if self.strikes_left == 0:
            return False
        if self.strikes_left is not None:
            self.strikes_left -= 1
        self.skips_left = self._between
        return True


class ArmedRules(Generic[R]):
    """In the order in which they were given, which is the order of asking."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._armed: dict[int, Armed[R]] = {}

    def arm(self, rule: R) -> int:
        """From now on it strikes. Gives the number by which it is taken back."""
        armed = Armed(next(self._numbers), rule)
        self._armed[armed.number] = armed
        return armed.number

    def disarm(self, number: int) -> Armed[R] | None:
        """It strikes no more and lets go of what it holds; None: there is none of this number."""
        armed = self._armed.pop(number, None)
        if armed is not None:
            armed.released.set()
        return armed

    def all(self) -> tuple[Armed[R], ...]:
        """Those that were not taken back, even if they will not strike any more."""
        return tuple(self._armed.values())

    def striking(self, means: Callable[[R], bool]) -> Armed[R] | None:
        """The first that strikes now, of those for which `means` is true."""
        return next((armed for armed in self.all() if means(armed.rule) and armed.strikes()), None)
