"""What the venue dates a little ahead of us is of now, and no more than that."""

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.durations import HOUR
from hydra.trading.venue_clock import SKEW, seen_at

NOW = 1_700_000_000_000_000_000
AHEAD = st.one_of(st.sampled_from([-1, 0, 1, SKEW - 1, SKEW, SKEW + 1]), st.integers(-HOUR, HOUR))


@given(AHEAD)
def test_what_is_ahead_by_no_more_than_clocks_may_differ_is_of_now_i48(ahead: int) -> None:
    seen = seen_at(NOW + ahead, NOW)

    assert seen == (NOW if 0 < ahead <= SKEW else NOW + ahead)
    assert (seen > NOW) is (ahead > SKEW)


@given(AHEAD, st.integers(0, HOUR))
def test_what_is_seen_later_is_not_seen_as_older_than_before_i45(ahead: int, passed: int) -> None:
    at = NOW + ahead

    assert min(seen_at(at, NOW), NOW) <= min(seen_at(at, NOW + passed), NOW + passed)
