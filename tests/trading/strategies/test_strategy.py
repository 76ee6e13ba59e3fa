import math
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from hydra.trading.strategies.strategy import BadParameters, parameters_from


class Parameters(Struct, frozen=True, kw_only=True):
    lookback_bars: Annotated[int, Meta(ge=1, le=1_000)]
    threshold_pct: Annotated[float, Meta(gt=0, le=100)] = 0.2
    factor: float = 1.0
    name: str = "none"

    def __post_init__(self) -> None:
        if self.lookback_bars == 13:
            raise ValueError("parameter lookback_bars is 13: wanted another number")


def test_what_is_not_given_takes_its_default() -> None:
    parameters = parameters_from({"lookback_bars": 5}, Parameters, strategy="test")

    assert parameters == Parameters(lookback_bars=5, threshold_pct=0.2, factor=1.0, name="none")


def test_a_whole_number_will_do_for_a_fraction() -> None:
    given = {"lookback_bars": 5, "threshold_pct": 1}

    parameters = parameters_from(given, Parameters, strategy="test")

    assert parameters == Parameters(lookback_bars=5, threshold_pct=1.0)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "parameter lookback_bars is missing"),
        (
            {"lookback_bar": 5},
            "no parameter 'lookback_bar'; did you mean 'lookback_bars'?",
        ),
        (
            {"lookback_bars": 5, "x": 1},
            "no parameter 'x'; there are lookback_bars, threshold_pct, factor, name",
        ),
        (
            {"lookback_bars": 5, 7: 1},
            "no parameter 7; there are lookback_bars, threshold_pct, factor, name",
        ),
        ({"lookback_bars": "5"}, "parameter lookback_bars is '5': expected `int`, got `str`"),
        ({"lookback_bars": True}, "parameter lookback_bars is True: expected `int`, got `bool`"),
        ({"lookback_bars": 5.0}, "parameter lookback_bars is 5.0: expected `int`, got `float`"),
        ({"lookback_bars": None}, "parameter lookback_bars is None: expected `int`, got `null`"),
        ({"lookback_bars": 0}, "parameter lookback_bars is 0: expected `int` >= 1"),
        ({"lookback_bars": 1_001}, "parameter lookback_bars is 1001: expected `int` <= 1000"),
        ({"lookback_bars": 13}, "parameter lookback_bars is 13: wanted another number"),
        (
            {"lookback_bars": 5, "threshold_pct": 0},
            "parameter threshold_pct is 0: expected `float` > 0.0",
        ),
        (
            {"lookback_bars": 5, "threshold_pct": "0.2"},
            "parameter threshold_pct is '0.2': expected `float`, got `str`",
        ),
        (
            {"lookback_bars": 5, "factor": math.nan},
            "parameter factor is nan: wanted a finite number",
        ),
        (
            {"lookback_bars": 5, "factor": -math.inf},
            "parameter factor is -inf: wanted a finite number",
        ),
    ],
)
def test_a_bad_parameter_is_refused_in_one_line(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(BadParameters) as caught:
        parameters_from(given, Parameters, strategy="test")

    assert str(caught.value) == f"test: {complaint}"


def test_a_long_value_is_shortened_in_the_refusal() -> None:
    with pytest.raises(BadParameters) as caught:
        parameters_from({"lookback_bars": "x" * 10_000}, Parameters, strategy="test")

    assert len(str(caught.value)) < 120


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=300)
    | st.decimals().map(Decimal),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["lookback_bars", "threshold_pct", "factor", "name"]) | st.text(max_size=20)


@given(given=st.dictionaries(NAMES, ANYTHING, max_size=4))
def test_whatever_is_given_ends_in_sane_parameters_or_one_line(given: dict[str, object]) -> None:
    outcome = parameters_or_refusal(given)

    if isinstance(outcome, str):
        assert len(outcome.splitlines()) == 1
    else:
        assert 1 <= outcome.lookback_bars <= 1_000
        assert 0 < outcome.threshold_pct <= 100
        assert math.isfinite(outcome.factor)


def parameters_or_refusal(given: dict[str, object]) -> Parameters | str:
    try:
        return parameters_from(given, Parameters, strategy="test")
    except BadParameters as refused:
        return str(refused)
