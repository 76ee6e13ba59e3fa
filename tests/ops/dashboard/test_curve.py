"""The account's worth over time, in as many points as a screen can show."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.dashboard.curve import POINTS_MAX, Curve, thinned

BEGAN = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def moment(number: int) -> str:
    """One every five seconds, as `status` says it."""
    return (BEGAN + timedelta(seconds=5 * number)).isoformat(timespec="milliseconds")


def test_points_are_kept_as_they_come() -> None:
    curve = Curve()
    for number, worth in enumerate(["100000", "100010.5", "99990"]):
        curve.take("embedded PA1", moment(number), worth)

    assert curve.points == [
        (moment(0), "100000"), (moment(1), "100010.5"), (moment(2), "99990"),
    ]  # fmt: skip


def test_the_same_moment_again_is_no_point_and_what_is_no_amount_is_none() -> None:
    curve = Curve()
    curve.take("embedded PA1", moment(0), "100000")
    curve.take("embedded PA1", moment(0), "100000")
    for worth in ("unknown", "NaN", "sNaN", "Infinity"):
        curve.take("embedded PA1", moment(1), worth)

    assert curve.points == [(moment(0), "100000")]


def test_another_account_or_a_market_that_begins_anew_has_a_curve_of_its_own() -> None:
    curve = Curve()
    curve.take("embedded PA1", moment(5), "100000")
    curve.take("embedded PA1", moment(2), "100001")
    assert curve.points == [(moment(2), "100001")]

    curve.take("paper PA2", moment(9), "5")
    assert curve.points == [(moment(9), "5")]


@given(st.lists(st.integers(-(10**9), 10**9).map(str), min_size=1, max_size=200))
def test_fewer_points_have_the_same_ends_and_extremes_in_the_same_order(worths: list[str]) -> None:
    points = [(moment(number), worth) for number, worth in enumerate(worths)]

    kept = thinned(points)

    assert (kept[0], kept[-1]) == (points[0], points[-1])
    amounts, left = [Decimal(each) for _, each in points], [Decimal(each) for _, each in kept]
    assert (min(left), max(left)) == (min(amounts), max(amounts))
    assert kept == [point for point in points if point in set(kept)]
    assert len(kept) <= len(points) / 2 + 4


def test_however_long_it_is_looked_at_there_are_not_many_points() -> None:
    curve = Curve()
    for number in range(3 * POINTS_MAX):
        curve.take("embedded PA1", moment(number), str(number % 7))

    assert len(curve.points) <= POINTS_MAX
    assert (curve.points[0][0], curve.points[-1][0]) == (moment(0), moment(3 * POINTS_MAX - 1))
