import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.causes import (
    COOLDOWN,
    DAILY_LOSS,
    HALT_MARKER_UNREADABLE,
    OPERATOR_HALT,
    STALE_SYMBOL,
    START,
    UNCLEAN_END,
    CauseKind,
)
from hydra.trading.restarts import cause_after_unclean_end, storm
from hydra.trading.trading_state import Cause, CauseClass, TradingState

MINUTE = 60 * 1_000_000_000
NOW = 1_704_205_800_000_000_000
AT = 1_460_727_000_000_000_000


def since(kind: CauseKind, subject: str = "") -> Cause:
    return kind.cause(since=AT - 1, detail="a test", subject=subject)


def after_unclean_end(*standing: Cause) -> Cause:
    cause = cause_after_unclean_end(ended_unclean=True, standing=standing, since=AT)
    assert cause is not None
    return cause


def test_an_end_in_order_leaves_nothing_i03() -> None:
    halted = since(OPERATOR_HALT)

    assert cause_after_unclean_end(ended_unclean=False, standing=[halted], since=AT) is None


@pytest.mark.parametrize(
    "standing",
    [
        (),
        (since(START), since(UNCLEAN_END)),
        (since(STALE_SYMBOL, "AAPL"), since(COOLDOWN, "mom")),
    ],
)
def test_after_an_unclean_end_with_trading_open_a_pass_will_do_i03(
    standing: tuple[Cause, ...],
) -> None:
    assert after_unclean_end(*standing) == Cause(
        code="unclean_end",
        cause_class=CauseClass.START,
        state=TradingState.HALTED,
        since=AT,
        detail="the process before did not end in order; trading was open",
    )


def test_where_a_person_is_needed_it_is_a_cause_that_outlives_its_process_i03() -> None:
    cause = cause_after_unclean_end(ended_unclean=True, standing=(), since=AT, needs_person=True)

    assert cause == structs.replace(after_unclean_end(), cause_class=CauseClass.INTEGRITY)


@pytest.mark.parametrize(
    ("standing", "was"),
    [
        ((since(OPERATOR_HALT),), "halted (operator-halt)"),
        ((since(DAILY_LOSS),), "close_only (daily_loss)"),
        ((since(HALT_MARKER_UNREADABLE),), "halted (halt_marker_unreadable)"),
        (
            (since(START), since(DAILY_LOSS), since(COOLDOWN, "mom"), since(OPERATOR_HALT)),
            "halted (daily_loss, operator-halt)",
        ),
    ],
)
def test_after_an_unclean_end_with_trading_stopped_a_person_has_to_look_i03(
    standing: tuple[Cause, ...], was: str
) -> None:
    assert after_unclean_end(*standing) == Cause(
        code="unclean_end_when_stopped",
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.HALTED,
        since=AT,
        detail=f"the process before did not end in order, and trading was {was}",
    )


def test_the_fourth_start_within_ten_minutes_of_unclean_ends_waits_for_a_person_i75() -> None:
    starts = [NOW - 10 * MINUTE, NOW - 5 * MINUTE, NOW - 1]

    assert storm(starts, NOW, AT) is None
    assert storm([*starts, NOW], NOW, AT) == Cause(
        code="restart_storm",
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.HALTED,
        since=AT,
        detail="4 starts after unclean ends within 10 minutes, at most 3 allowed",
    )


def test_starts_of_long_ago_do_not_count_i75() -> None:
    starts = [NOW - 10 * MINUTE - 1, NOW - 5 * MINUTE, NOW - 1, NOW]

    assert storm(starts, NOW, AT) is None


def test_starts_from_the_future_count_i75() -> None:
    starts = [NOW + 1000 * MINUTE] * 3

    assert storm([*starts, NOW], NOW, AT) is not None


@given(gaps=st.lists(st.integers(0, 20 * MINUTE), max_size=20))
def test_a_start_is_a_storm_exactly_if_four_lie_within_ten_minutes_i75(gaps: list[int]) -> None:
    now, starts = NOW, []
    for gap in gaps:
        now += gap
        starts.append(now)

        found = storm(starts, now, AT)

        assert (found is not None) is (len(starts) > 3 and now - starts[-4] <= 10 * MINUTE)
