"""What a JSON text says, read a second time by another reader, and to the last digit."""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.fuzz.target import require


def tree_of(body: bytes) -> Any:
    """The text's content, numbers as decimals; of keys that stand there twice the last counts.

    None where Python's reader does not take it, which is stricter here and laxer there. What is no
    UTF-8 is read all the same, since a reader may pass it over where it does not look.
    """
    try:
        return json.loads(
            body.decode("utf-8", "surrogateescape"), parse_float=Decimal, parse_int=Decimal
        )
    except (ValueError, RecursionError, ArithmeticError):
        return None


def decimals_in(tree: Any) -> Iterator[Decimal]:
    """Every number that stands in it, as a number or as a text."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        match value:
            case dict():
                waiting.extend(value.values())
            case list():
                waiting.extend(value)
            case Decimal():
                yield value
            case str():
                try:
                    yield Decimal(value)
                except InvalidOperation:
                    continue
            case _:
                continue


def require_written(values: Iterator[Decimal] | list[Decimal], *bodies: bytes) -> None:
    """Every one of the numbers stands in one of the bodies, digit for digit, but for its sign."""
    said: set[tuple[Any, ...]] = set()
    for body in bodies:
        tree = tree_of(body)
        if tree is None:
            return  # another reader makes nothing of it; there is nothing to hold it against
        said.update(_digits(value) for value in decimals_in(tree))
    for value in values:
        require(not value or _digits(value) in said, f"{value} stands nowhere in the answer")


def _digits(value: Decimal) -> tuple[Any, ...]:
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return digits, exponent
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    return short, exponent + len(text) - len(short)
