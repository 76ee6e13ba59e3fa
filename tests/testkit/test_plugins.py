"""What the test kit has for writers of plug-ins finds the mistakes that it is for."""

from collections.abc import Mapping
from typing import Any

import pytest

from hydra.testkit import Kit
from hydra.testkit.builders import bar, bars
from hydra.testkit.plugins import assert_keeps_its_promises, empty_book
from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import Signal
from messages.market import BarClosed, bars_topic
from messages.positions import BookRecovered, RecoverBook

CLOSES = [100 + (number * 7 % 11) / 10 for number in range(120)]


class HighestEver:
    """In at a new high: it remembers everything, whatever it says."""

    warm_up = 3

    def __init__(self) -> None:
        self._highest = 0.0

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        is_new = bar.close > self._highest
        self._highest = max(self._highest, bar.close)
        return Signal.ENTER_LONG if is_new else None


class Shared:
    """Two of them are one."""

    warm_up = 1
    seen = 0

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        type(self).seen += 1
        return Signal.ENTER_LONG if type(self).seen % 7 == 0 else None


class Silent:
    warm_up = 1

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        return None


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (HighestEver, "warm_up is too short"),
        (Shared, "other signals the second time"),
        (Silent, "gives no signal"),
    ],
)
def test_a_strategy_that_breaks_its_promise_is_found(made: type[Any], words: str) -> None:
    def factory(_parameters: Mapping[str, object]) -> Any:
        return made()

    with pytest.raises(AssertionError, match=words):
        assert_keeps_its_promises(factory, {}, bars([*CLOSES, *CLOSES]))


def test_one_of_our_own_keeps_them() -> None:
    make = STRATEGIES["placeholder_momentum_v1"]

    assert_keeps_its_promises(make, {"lookback_bars": 2, "threshold_pct": 0.2}, bars(CLOSES))


def test_a_listener_hears_what_is_published_from_then_on() -> None:
    kit = Kit()
    topic = bars_topic("AAPL")
    kit.publish(topic, BarClosed(bar=bar(99.0)))
    ear = kit.listen(topic)

    kit.publish(topic, BarClosed(bar=bar(98.0)))

    assert ear.told == [BarClosed(bar=bar(98.0))]


def test_an_empty_book_answers_the_question_that_was_asked_and_no_other() -> None:
    question = RecoverBook(bot="dip", reply_to="/kit/dip", asked_by=2, number=3)

    assert empty_book(question) == BookRecovered(orders=(), fills=(), asked_by=2, number=3)
    assert empty_book(BarClosed(bar=bar(99.0))) is None
