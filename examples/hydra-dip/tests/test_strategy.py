"""The strategy: its rule, its parameters, and what every strategy promises."""

import pytest
from hydra_dip.strategy import make

from hydra.testkit.builders import bars
from hydra.testkit.plugins import assert_keeps_its_promises
from hydra.trading.strategies.strategy import BadParameters, Signal

CLOSES = [100, 101, 102, 103, 104, 103, 102, 102, 101, 100, 99, 98, 100, 101, 102, 103]


def test_it_signals_with_the_close_that_makes_the_row_long_enough() -> None:
    strategy = make({"bars": 3})

    signals = [strategy.on_bar(each, None) for each in bars(CLOSES)]

    found = [(number, signal) for number, signal in enumerate(signals) if signal is not None]
    assert found == [(3, Signal.ENTER_LONG), (10, Signal.EXIT_LONG), (14, Signal.ENTER_LONG)]


def test_it_keeps_what_every_strategy_promises() -> None:
    assert_keeps_its_promises(make, {"bars": 3}, bars(CLOSES * 3))


def test_a_parameter_that_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(BadParameters, match="bras"):
        make({"bras": 3})
    with pytest.raises(BadParameters, match="bars"):
        make({"bars": 0})
