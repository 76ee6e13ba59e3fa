from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.orders import Side
from hydra.venues.simulated.server.rest.parameters import Direction, Parameters


class Refusal(Exception):
    pass


def asked(**given: str) -> Parameters:
    return Parameters(given, Refusal)


def test_booleans_are_read_in_any_case_and_empty_is_absent() -> None:
    given = asked(a="True", b="FALSE", c="", d="1", e="0")

    assert [given.flag(name) for name in "abcdef"] == [True, False, False, True, False, False]
    assert given.text("c") is None


def test_values_are_read_by_type() -> None:
    given = asked(n="12", x="0.5", t="2026-11-23", s="A, B,,A", side="Sell", direction="asc")

    assert given.whole("n") == 12
    assert given.amount("x") == Decimal("0.5")
    assert given.instant("t", UTC) == 1_795_392_000_000_000_000
    assert given.day("t") == date(2026, 11, 23)
    assert given.words("s") == ("A", "B")
    assert given.choice("side", Side) is Side.SELL
    assert given.choice("direction", Direction) is Direction.ASCENDING
    assert given.ascending("direction")
    assert not given.ascending("absent")


@pytest.mark.parametrize(
    ("read", "wanted"),
    [
        (lambda given: given.flag("x"), "true or false"),
        (lambda given: given.whole("x"), "a whole number"),
        (lambda given: given.amount("x"), "a number"),
        (lambda given: given.instant("x", UTC), "an RFC 3339 time or a date"),
        (lambda given: given.day("x"), "a date such as 2026-11-23"),
        (lambda given: given.choice("x", Side), "buy or sell"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_was_wanted(
    read: Callable[[Parameters], Any], wanted: str
) -> None:
    with pytest.raises(Refusal) as refused:
        read(asked(x="what?"))
    assert str(refused.value) == f"invalid x: found 'what?', wanted {wanted}"


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    given = asked(x=text)
    for read in (given.flag, given.whole, given.amount, given.day, given.words, given.ascending):
        with suppress(Refusal):
            read("x")
