import json
import math

import pytest

from hydra.ops.bench.report import json_of
from hydra.ops.bench.rows import Bar, Effort, Figure, Measured, Row, missing_row, row_of

FIGURE = Figure(
    name="dispatch",
    unit="messages/s",
    what="messages handled",
    bound="a deque",
    bar=Bar(at_least=1_500_000, ratio_at_least=0.125, ratio_text="1/8"),
)


@pytest.mark.parametrize(
    ("bar", "value", "ratio", "kept"),
    [
        (Bar(at_most=10), 10.0, 1.0, True),
        (Bar(at_most=10), 10.01, 1.0, False),
        (Bar(at_least=700), 700.0, 1.0, True),
        (Bar(at_least=700), 699.9, 1.0, False),
        (Bar(ratio_at_least=0.125), 1.0, 0.125, True),
        (Bar(ratio_at_least=0.125), 1.0, 0.124, False),
        (Bar(ratio_at_most=0.5), 1.0, 0.5, True),
        (Bar(ratio_at_most=0.5), 1.0, 0.51, False),
        (Bar(ratio_at_most=0.5), 1.0, math.nan, False),
        (Bar(at_least=700, ratio_at_least=0.125), 700.0, 0.1, False),
        (Bar(at_least=700, ratio_at_least=0.125), 600.0, 0.2, False),
        (Bar(at_most=0), 0.0, 0.0, True),
        (Bar(at_most=0), 1.0, 0.001, False),
        (Bar(), 123.0, math.nan, True),
        (Bar(at_most=10), math.nan, 1.0, False),
        (Bar(ratio_at_least=0.125), 1.0, math.nan, False),
    ],
)
def test_a_bar_is_kept_up_to_its_limits_and_not_beyond(
    bar: Bar, value: float, ratio: float, kept: bool
) -> None:
    assert bar.is_kept_by(value, ratio) is kept


@pytest.mark.parametrize(
    ("bar", "text"),
    [
        (Bar(), ""),
        (Bar(at_most=10), "<= 10"),
        (Bar(at_most=0.5), "<= 0.5"),
        (Bar(at_least=1_500_000), ">= 1,500,000"),
        (Bar(ratio_at_most=0.5), "<= 0.5 of the bound"),
        (FIGURE.bar, ">= 1,500,000 and >= 1/8 of the bound"),
    ],
)
def test_a_bar_reads_as_the_design_writes_it(bar: Bar, text: str) -> None:
    assert str(bar) == text


def test_a_row_holds_the_value_against_its_bound_and_its_bar() -> None:
    row = row_of(FIGURE, Measured(2_000_000, 8_000_000))

    assert row == Row(
        name="dispatch",
        value=2_000_000,
        unit="messages/s",
        bound="a deque",
        bound_value=8_000_000,
        ratio=0.25,
        bar=">= 1,500,000 and >= 1/8 of the bound",
        passed=True,
    )


def test_a_row_below_its_bar_does_not_pass() -> None:
    assert not row_of(FIGURE, Measured(1_400_000, 8_000_000)).passed


def test_without_a_bound_there_is_no_ratio_and_a_bar_on_it_is_not_kept() -> None:
    row = row_of(FIGURE, Measured(2_000_000, 0))

    assert (row.ratio, row.passed) == (None, False)


def test_a_figure_that_could_not_be_taken_does_not_pass_even_without_a_bar() -> None:
    information = Figure(name="hop", unit="µs", what="a hop", bound="a queue")

    assert missing_row(information) == Row(
        name="hop",
        value=None,
        unit="µs",
        bound="a queue",
        bound_value=None,
        ratio=None,
        bar="",
        passed=False,
    )


def test_the_json_has_the_keys_of_the_contract() -> None:
    rows = [row_of(FIGURE, Measured(2_000_000, 8_000_000)), missing_row(FIGURE)]

    first, second = json.loads(json_of(rows))

    assert first == {
        "name": "dispatch",
        "value": 2_000_000,
        "unit": "messages/s",
        "bound": "a deque",
        "bound_value": 8_000_000,
        "ratio": 0.25,
        "bar": ">= 1,500,000 and >= 1/8 of the bound",
        "pass": True,
    }
    assert list(second) == list(first)
    assert (second["value"], second["ratio"], second["pass"]) == (None, None, False)


@pytest.mark.parametrize(
    ("scale", "full", "least", "count"),
    [(1.0, 100, 1, 100), (0.1, 100, 1, 10), (0.001, 100, 1, 1), (0.001, 100, 5, 5)],
)
def test_an_effort_scales_counts_down_to_the_least_that_makes_sense(
    scale: float, full: int, least: int, count: int
) -> None:
    assert Effort(rounds=1, scale=scale).count(full, least=least) == count
