"""What every strategy must do, whatever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import BadParameters, Signal
from tests.trading.market_data import bars_of

# Steps of whole cents around a price, so that moves are as large as thresholds and as small as not
# to matter.
STEPS = st.integers(-80, 80)
WALKS = (st.lists(STEPS, max_size=40) | st.lists(STEPS, min_size=80, max_size=160)).map(
    lambda steps: bars_of(
        [max(100, 10_000 + sum(steps[:count])) / 100 for count in range(len(steps))]
    )
)

pytestmark = pytest.mark.parametrize("name", STRATEGIES)


def signals_of(name: str, bars: list[Bar]) -> list[Signal | None]:
    strategy = STRATEGIES[name]({})
    return [strategy.on_bar(bar) for bar in bars]


def test_the_names_are_those_that_configurations_use(name: str) -> None:
    assert name in {
        "placeholder_momentum_v1",
        "placeholder_crypto_momo_v1",
        "moving_average_cross",
    }


@given(bars=WALKS, data=st.data())
def test_the_signals_of_the_first_bars_do_not_depend_on_later_bars(
    name: str, bars: list[Bar], data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, len(bars)))

    assert signals_of(name, bars[:count]) == signals_of(name, bars)[:count]


@given(bars=WALKS)
def test_two_strategies_of_one_name_share_nothing(name: str, bars: list[Bar]) -> None:
    one, other = STRATEGIES[name]({}), STRATEGIES[name]({})

    by_turns = [(one.on_bar(bar), other.on_bar(bar)) for bar in bars]

    assert by_turns == [(signal, signal) for signal in signals_of(name, bars)]


def test_an_unknown_parameter_is_refused(name: str) -> None:
    with pytest.raises(BadParameters, match=rf"^{name}: no parameter 'colour'; there are "):
        STRATEGIES[name]({"colour": "red"})
