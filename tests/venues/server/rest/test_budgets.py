from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.server.rest.budgets import MinuteBudget, Spent

MINUTE = 60_000_000_000
NOON = 1_795_521_600_000_000_000


def test_a_minute_has_so_many_requests_and_the_next_as_many_again() -> None:
    budget = MinuteBudget(2)

    spent = [budget.spend(NOON + second * 1_000_000_000) for second in (0, 30, 59, 60)]

    assert spent == [
        Spent(allowed=True, limit=2, remaining=1, reset_at_s=1_795_521_660),
        Spent(allowed=True, limit=2, remaining=0, reset_at_s=1_795_521_660),
        Spent(allowed=False, limit=2, remaining=0, reset_at_s=1_795_521_660),
        Spent(allowed=True, limit=2, remaining=1, reset_at_s=1_795_521_720),
    ]


def test_a_clock_that_is_set_back_begins_anew() -> None:
    budget = MinuteBudget(1)
    budget.spend(NOON)

    assert budget.spend(NOON - MINUTE).allowed


def test_the_headers_are_those_of_the_broker() -> None:
    assert MinuteBudget(200).spend(NOON).headers() == [
        (b"x-ratelimit-limit", b"200"),
        (b"x-ratelimit-remaining", b"199"),
        (b"x-ratelimit-reset", b"1795521660"),
    ]


@given(
    st.integers(min_value=1, max_value=5),
    st.lists(st.integers(min_value=0, max_value=5 * MINUTE), max_size=60),
)
def test_no_minute_has_more_than_its_limit(limit: int, moments: list[int]) -> None:
    budget = MinuteBudget(limit)

    allowed = [at // MINUTE for at in sorted(moments) if budget.spend(at).allowed]

    assert all(allowed.count(minute) <= limit for minute in set(allowed))
