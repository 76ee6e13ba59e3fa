from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bar_checks import are_sound, fault_in


@pytest.mark.parametrize(
    "numbers",
    [
        (1.0, 2.0, 0.5, 1.5, 100.0),
        (1.0, 1.0, 1.0, 1.0, 0.0),
        (1e-12, 1e9, 1e-12, 1e9, 1e15),
    ],
)
def test_a_possible_bar_has_no_fault(numbers: tuple[float, float, float, float, float]) -> None:
    assert fault_in(*numbers) is None


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        ((nan, 2.0, 0.5, 1.5, 1.0), "found open nan; wanted a finite number"),
        ((1.0, inf, 0.5, 1.5, 1.0), "found high inf; wanted a finite number"),
        ((1.0, 2.0, -inf, 1.5, 1.0), "found low -inf; wanted a finite number"),
        ((1.0, 2.0, 0.5, nan, 1.0), "found close nan; wanted a finite number"),
        ((1.0, 2.0, 0.5, 1.5, nan), "found volume nan; wanted a finite number"),
        ((1.0, 2.0, 0.5, 1.5, inf), "found volume inf; wanted a finite number"),
        ((1.0, 2.0, 0.0, 1.5, 1.0), "found low 0.0; wanted a price over 0"),
        ((-1.0, 2.0, 0.5, 1.5, 1.0), "found open -1.0; wanted a price over 0"),
        (
            (1.0, 0.5, 2.0, 1.5, 1.0),
            "found high 0.5 under low 2.0; wanted high at or over low",
        ),
        (
            (2.5, 2.0, 0.5, 1.5, 1.0),
            "found open 2.5 outside low 0.5 to high 2.0; wanted it within",
        ),
        (
            (1.0, 2.0, 0.5, 0.4, 1.0),
            "found close 0.4 outside low 0.5 to high 2.0; wanted it within",
        ),
        ((1.0, 1e300, 0.5, 1.5, 1.0), "found high 1e+300; wanted a price from 1e-12 to 1e+09"),
        ((1.0, 2.0, 1e-300, 1.5, 1.0), "found low 1e-300; wanted a price from 1e-12 to 1e+09"),
        ((1.0, 2.0, 0.5, 1.5, 1e300), "found volume 1e+300; wanted one from 0 to 1e+15"),
        ((1.0, 2.0, 0.5, 1.5, -1.0), "found volume -1.0; wanted one from 0 to 1e+15"),
    ],
)
def test_an_impossible_bar_is_told_by_its_first_fault(
    numbers: tuple[float, float, float, float, float], fault: str
) -> None:
    assert fault_in(*numbers) == fault


@given(numbers=st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 5))
def test_no_fault_means_that_every_comparison_a_strategy_makes_has_sense(
    numbers: tuple[float, float, float, float, float],
) -> None:
    open_price, high, low, close, volume = numbers

    fault = fault_in(*numbers)

    sound = (
        all(-inf < number < inf for number in numbers)
        and min(open_price, high, low, close) == low >= 1e-12
        and max(open_price, high, low, close) == high <= 1e9
        and 0 <= volume <= 1e15
    )
    assert (fault is None) == sound
    assert fault is None or "\n" not in fault


@st.composite
def almost_sound(draw: st.DrawFn) -> tuple[float, ...]:
    """A bar, one of whose numbers may be any."""
    numbers = [2.0, 3.0, 1.0, 2.5, 100.0]
    numbers[draw(st.integers(0, 4))] = draw(st.one_of(st.floats(), st.floats(1.0, 3.0)))
    return tuple(numbers)


@given(st.lists(almost_sound(), min_size=1, max_size=3))
def test_bars_are_sound_together_if_none_has_a_fault_by_itself(
    bars: list[tuple[float, float, float, float, float]],
) -> None:
    assert are_sound(*zip(*bars, strict=True)) == all(fault_in(*bar) is None for bar in bars)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("number", [nan, inf, -inf, 0.0, -1.0, 1.5, 2.0, 9.0])
def test_one_odd_number_among_sound_ones_is_judged_alike(place: int, number: float) -> None:
    numbers = [2.0, 3.0, 1.0, 2.5, 100.0]
    numbers[place] = number
    open_price, high, low, close, volume = numbers

    together = are_sound([open_price], [high], [low], [close], [volume])

    assert together == (fault_in(open_price, high, low, close, volume) is None)
