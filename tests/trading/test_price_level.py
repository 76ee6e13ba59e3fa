"""Absurd jumps are doubted; a market that really went there is believed a little later."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.price_level import PriceLevel, judged

SECOND = 1_000_000_000
JUMP_MAX = 0.25


def believed(*prices: tuple[float, float]) -> list[bool]:
    """Which of them are believed, each at a time in seconds, in turn."""
    level: PriceLevel | None = None
    found = []
    for seconds, price in prices:
        level, is_believed = judged(level, price, price, int(seconds * SECOND), JUMP_MAX)
        found.append(is_believed)
    return found


def test_a_price_near_the_last_one_is_believed_at_once_i46() -> None:
    assert believed((0, 100), (0, 125), (0, 100), (0, 80)) == [True] * 4


def test_a_jump_is_not_believed_and_leaves_the_level_where_it_was_i46() -> None:
    assert believed((0, 100), (1, 126), (2, 79), (3, 1e9), (4, 1e-9), (5, 101)) == [
        *(True, False, False, False, False, True)
    ]


def test_a_jump_that_others_confirm_over_a_second_is_believed_i46() -> None:
    assert believed((0, 100), (1, 200), (1.5, 201), (2, 202), (3, 101)) == [
        *(True, False, False, True, False)
    ]


def test_a_burst_confirms_nothing_i46() -> None:
    assert believed((0, 100), *[(1, 200)] * 50) == [True, *[False] * 50]


def test_jumps_that_do_not_agree_with_one_another_confirm_nothing_i46() -> None:
    assert believed((0, 100), *[(1 + n, 200.0 * 2 ** (n % 2)) for n in range(50)]) == [
        True,
        *[False] * 50,
    ]


def test_both_sides_of_a_quote_have_to_be_near_i46() -> None:
    level = PriceLevel(100.0)

    assert judged(level, 99, 101, 0, JUMP_MAX)[1]
    assert not judged(level, 79, 101, 0, JUMP_MAX)[1]
    assert not judged(level, 99, 126, 0, JUMP_MAX)[1]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(1e-3, 1e6)), min_size=1, max_size=40))
def test_a_believed_price_is_the_level_and_a_doubted_one_never_is_i46(
    prices: list[tuple[int, float]],
) -> None:
    level: PriceLevel | None = None
    now = 0
    for pause, price in prices:
        now += pause * SECOND
        before = level
        level, is_believed = judged(level, price, price, now, JUMP_MAX)

        assert level.price == (price if is_believed else before and before.price)
