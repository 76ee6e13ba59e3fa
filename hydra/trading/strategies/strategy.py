"""What a strategy is, and how its parameters are read."""

import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from enum import Enum
from reprlib import repr as shortened
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession


class Signal(Enum):
    """What a strategy would like. Whether it happens is for the bot and the guardian to say."""

    ENTER_LONG = "enter_long"
    EXIT_LONG = "exit_long"
    """It may be said once: it stands until what is held is sold, or the strategy wants in again."""
    ENTER_SHORT = "enter_short"
    """The price is to fall. For puts; a bot that only goes long leaves it alone."""


class Strategy(Protocol):
    """Turns the closed bars of one symbol, each once and in order, into signals.

    A state machine and nothing else: the same bars give the same signals, and a signal depends on
    no later bar. It does not know whether the bot holds a position. Until it has seen what its rule
    is about, it gives no signal. A minute in which nothing traded has no bar: only a strategy
    whose rule needs every minute looks for holes.
    """

    @property
    def warm_up(self) -> int:
        """How many bars it remembers at most.

        Fed the last `warm_up` bars, a fresh strategy goes on as one that has seen every bar.
        """
        ...

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """Take the next closed bar. `session`: the one it began in, None outside of all."""
        ...


StrategyFactory: TypeAlias = Callable[[Mapping[str, object]], Strategy]
"""Gives a fresh strategy, or raises `BadParameters`."""


def was_closed_between(earlier: ExchangeSession, later: ExchangeSession) -> bool:
    """Whether the market was closed from the one to the other. Coins never close."""
    return earlier.close_at < later.open_at


class BadParameters(ValueError):
    """A strategy's parameters cannot be used; the message is one line for the operator."""


Parameters = TypeVar("Parameters", bound=msgspec.Struct)


def parameters_from(
    given: Mapping[str, object], kind: type[Parameters], *, strategy: str
) -> Parameters:
    """Read the parameters of `strategy` strictly; raises `BadParameters`.

    Types and ranges are those that `kind` declares, and no text passes for a number. What is not
    given takes its default. An unknown name is refused: an ignored parameter is a wrong strategy.
    """
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name in given:
        if name not in fields:
            raise BadParameters(f"{strategy}: no parameter {name!r}{_suggestion(name, fields)}")
    for name, field in fields.items():
        if field.required and name not in given:
            raise BadParameters(f"{strategy}: parameter {name} is missing")
    values = {name: _converted(strategy, name, given[name], fields[name].type) for name in given}
    try:
        return kind(**values)
    except ValueError as error:
        raise BadParameters(f"{strategy}: {error}") from error


def _converted(strategy: str, name: str, value: object, wanted: object) -> object:
    try:
        converted: object = msgspec.convert(value, type=wanted, strict=True)
    except (msgspec.ValidationError, ValueError) as error:  # the latter for a signaling NaN
        raise BadParameters(
            f"{strategy}: parameter {name} is {shortened(value)}: {_uncapitalised(str(error))}"
        ) from error
    if isinstance(converted, float) and not math.isfinite(converted):
        raise BadParameters(f"{strategy}: parameter {name} is {converted}: wanted a finite number")
    return converted


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _suggestion(name: object, known: Mapping[str, object]) -> str:
    near = get_close_matches(str(name), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
