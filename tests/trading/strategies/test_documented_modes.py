"""What the shipped bots.yaml says of the strategies is what they are."""

import re
from pathlib import Path

import msgspec
import yaml

from hydra.plugins import fault_in_signal
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.bollinger_reversion import BollingerReversionParameters
from hydra.trading.strategies.moving_average_cross import MovingAverageCrossParameters
from hydra.trading.strategies.opening_range_breakout import OpeningRangeBreakoutParameters
from hydra.trading.strategies.placeholder_momentum import PlaceholderMomentumParameters
from hydra.trading.strategies.placeholder_options import PlaceholderOptionsParameters

BOTS = Path(__file__).resolve().parents[3] / "config" / "bots.yaml"
EXAMPLE = re.compile(r"^# - (\w+): (\{.*\})$", re.MULTILINE)

DEFAULTS: dict[str, msgspec.Struct] = {
    "placeholder_momentum_v1": PlaceholderMomentumParameters(),
    "placeholder_crypto_momo_v1": PlaceholderMomentumParameters(),
    "placeholder_options_v1": PlaceholderOptionsParameters(),
    "moving_average_cross": MovingAverageCrossParameters(),
    "opening_range_breakout": OpeningRangeBreakoutParameters(),
    "bollinger_reversion": BollingerReversionParameters(),
}


def test_every_strategy_is_in_the_shipped_file_with_its_defaults() -> None:
    examples = {
        name: yaml.safe_load(parameters)
        for name, parameters in EXAMPLE.findall(BOTS.read_text("utf-8"))
    }

    assert examples == {name: msgspec.structs.asdict(each) for name, each in DEFAULTS.items()}
    assert set(examples) == set(STRATEGIES)
    assert [fault_in_signal(name, each) for name, each in examples.items()] == [None] * 6
