from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.account_day import (
    AccountDay,
    DayLimits,
    DrawdownState,
    EquityObserved,
    Event,
    RiskMode,
    Traded,
    after,
    alarms,
    closed_when_flat,
    decision_day,
    held_back,
    parted,
    rejoined,
    risk_mode,
    trading_day,
    worse,
)
from hydra.trading.causes import DAILY_LOSS
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.trading_state import Cause, TradingState
from tests.trading.market_data import utc_ns

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

CLOSE_ONLY, HALTED = TradingState.CLOSE_ONLY, TradingState.HALTED
NORMAL, DRAWDOWN, RECOVERY = DrawdownState

LIMITS = DayLimits(
    daily_loss_pct_max=Decimal(2),
    drawdown_pct_max=Decimal(3),
    nav_jump_pct_max=Decimal(10),
    drawdown_begins_pct=Decimal(1),
    recovery_begins_pct=Decimal("0.6"),
    recovery_ends_pct=Decimal("0.2"),
    flaps_max=4,
    flap_window_ns=HOUR,
    equity_age_ns_max=15 * SECOND,
)


def session(date: str, opens: str, closes: str) -> ExchangeSession:
    open_at, close_at = (utc_ns(f"{date}T{time}:00-05:00") for time in (opens, closes))
    return ExchangeSession(date, open_at, close_at, early_close=closes != "16:00")


# A half day on a Wednesday, a holiday, a half day on a Friday, a weekend.
SESSIONS = SessionTable(
    (
        session("2023-11-21", "09:30", "16:00"),
        session("2023-11-22", "09:30", "13:00"),
        session("2023-11-24", "09:30", "13:00"),
        session("2023-11-27", "09:30", "16:00"),
    )
)
TUESDAY = utc_ns("2023-11-21T09:30:00-05:00")
WEDNESDAY = utc_ns("2023-11-22T09:30:00-05:00")
AT = TUESDAY + HOUR
WHOLE = Decimal(100_000)


def observed(equity: str | None, at: int = AT, venues: str | None = None) -> EquityObserved:
    return EquityObserved(
        ours=None if equity is None else Decimal(equity),
        venues=None if venues is None else Decimal(venues),
        session=trading_day(SESSIONS, at),
        at=at,
    )


def day_after(*events: Event, limits: DayLimits = LIMITS) -> AccountDay:
    """Each event finds what the one before it left on record."""
    day = AccountDay()
    for event in events:
        day = msgspec.json.decode(msgspec.json.encode(after(day, event, limits)), type=AccountDay)
    return day


def equities(*texts: str | None, begin: int = AT, step: int = SECOND) -> list[EquityObserved]:
    return [observed(text, begin + number * step) for number, text in enumerate(texts)]


def codes(day: AccountDay, at: int | None = None, *, is_flat: bool = False) -> list[str]:
    now = day.at if at is None else at
    return [cause.code for cause in alarms(day, LIMITS, now, is_flat=is_flat)]


def test_a_day_begins_with_the_first_equity_that_is_known_i37() -> None:
    assert day_after(observed("100000")) == AccountDay(
        session="2023-11-21",
        day_start=Decimal(100_000),
        peak=Decimal(100_000),
        equity=Decimal(100_000),
        at=AT,
        known=Decimal(100_000),
    )


def test_a_loss_below_the_limit_is_no_alarm_and_one_that_reaches_it_is_i37() -> None:
    assert codes(day_after(*equities("100000", "98000.01"))) == []
    assert codes(day_after(*equities("100000", "98000"))) == ["daily_loss"]


def test_a_daily_loss_closes_and_then_halts_once_flat_i37() -> None:
    day = day_after(*equities("100000", "97500"))

    holding, flat = (alarms(day, LIMITS, AT + SECOND, is_flat=flat) for flat in (False, True))

    detail = (
        "lost 2500 of 100000 USD since the day 2023-11-21 began, less than 2000.00 (2 %) allowed"
    )
    assert holding == (DAILY_LOSS.cause(since=AT + SECOND, detail=detail),)
    assert flat == (DAILY_LOSS.cause(since=AT + SECOND, detail=detail, at_least=HALTED),)


def test_a_gap_is_a_loss_at_the_first_look_i37() -> None:
    assert codes(day_after(*equities("100000", "101000", "95000"))) == ["daily_loss", "drawdown"]


def test_a_slow_drift_is_a_loss_once_it_has_come_to_the_limit_i37() -> None:
    path = [str(100_000 - 10 * step) for step in range(201)]

    assert codes(day_after(*equities(*path[:-1]))) == []
    assert codes(day_after(*equities(*path))) == ["daily_loss"]


def test_a_loss_on_either_side_of_midnight_is_one_loss_i37() -> None:
    midnight = utc_ns("2023-11-22T00:00:00-05:00")

    day = day_after(*equities("100000", "98500", "97900", begin=midnight - HOUR, step=HOUR))

    assert (day.session, day.day_start) == ("2023-11-21", WHOLE)
    assert codes(day) == ["daily_loss"]


@pytest.mark.parametrize(
    ("at", "date"),
    [
        ("2023-11-21T09:29:59-05:00", ""),
        ("2023-11-21T09:30:00-05:00", "2023-11-21"),
        ("2023-11-22T00:00:00-05:00", "2023-11-21"),
        ("2023-11-22T09:29:59-05:00", "2023-11-21"),
        ("2023-11-22T12:59:59-05:00", "2023-11-22"),
        ("2023-11-22T13:00:00-05:00", "2023-11-22"),
        ("2023-11-23T11:00:00-05:00", "2023-11-22"),
        ("2023-11-24T09:30:00-05:00", "2023-11-24"),
        ("2023-11-26T23:00:00-05:00", "2023-11-24"),
        ("2023-11-27T09:30:00-05:00", "2023-11-27"),
        ("2024-02-01T00:00:00-05:00", "2023-11-27"),
    ],
)
def test_a_trading_day_lasts_until_the_next_session_opens_i37(at: str, date: str) -> None:
    assert trading_day(SESSIONS, utc_ns(at)) == date


def test_a_decision_is_of_the_trading_day_and_before_the_first_of_the_day_of_utc_i37() -> None:
    evening, before_all = utc_ns("2023-11-21T20:30:00-05:00"), utc_ns("2023-11-20T12:00:00-05:00")

    assert decision_day(SESSIONS, evening) == "2023-11-21"
    assert decision_day(SESSIONS, before_all) == "2023-11-20"


def test_a_gap_overnight_is_a_loss_of_the_day_that_it_opens_i37() -> None:
    day = day_after(observed("100000", WEDNESDAY - 1), observed("97000", WEDNESDAY))

    assert (day.session, day.day_start, day.peak) == ("2023-11-22", WHOLE, WHOLE)
    assert codes(day) == ["daily_loss", "drawdown"]


def test_a_new_day_begins_with_what_the_old_one_has_left_i37() -> None:
    day = day_after(
        *equities("100000", "103000", "98000"),
        observed("97900", WEDNESDAY),
    )

    left = Decimal(98_000)
    assert (day.day_start, day.peak, day.equity) == (left, left, Decimal(97_900))
    assert codes(day) == []


def test_equity_that_is_missing_when_a_day_begins_does_not_hide_a_loss_i37() -> None:
    day = day_after(
        observed("100000", WEDNESDAY - 2),
        observed(None, WEDNESDAY - 1),
        observed(None, WEDNESDAY),
        observed("97000", WEDNESDAY + 1),
    )

    assert day.day_start == 100_000
    assert codes(day) == ["daily_loss", "drawdown"]


def test_a_day_that_is_over_does_not_come_back_i37() -> None:
    day = day_after(
        observed("100000", WEDNESDAY - 1), observed("97000", WEDNESDAY), observed("97000", AT)
    )

    assert (day.session, day.day_start) == ("2023-11-22", WHOLE)
    assert codes(day) == ["daily_loss", "drawdown"]


@pytest.mark.parametrize("at", [AT + 15 * SECOND + 1, AT - 1])
def test_equity_that_is_old_or_from_the_future_is_missing_i37(at: int) -> None:
    day = day_after(observed("100000"))

    assert codes(day, AT + 15 * SECOND) == []
    assert codes(day, at) == ["equity_missing"]


def test_missing_equity_is_an_alarm_at_once_i37() -> None:
    day = day_after(*equities("100000", None))

    assert codes(day) == ["equity_missing"]
    assert codes(AccountDay(), 0) == ["equity_missing"]
    assert codes(after(day, observed("100000", day.at), LIMITS)) == []


def test_old_equity_still_shows_a_loss_i37() -> None:
    day = day_after(*equities("100000", "90000.01"))

    assert codes(day, day.at + HOUR) == ["equity_missing", "daily_loss", "drawdown"]


@pytest.mark.parametrize(
    ("ours", "venues", "counts"),
    [
        (Decimal(2), Decimal(1), Decimal(1)),
        (Decimal(1), Decimal(2), Decimal(1)),
        (Decimal(1), None, Decimal(1)),
        (None, Decimal(1), Decimal(1)),
        (Decimal(-1), Decimal(1), Decimal(-1)),
        (Decimal("NaN"), Decimal(1), Decimal(1)),
        (Decimal(1), Decimal("sNaN"), Decimal(1)),
        (Decimal("Infinity"), Decimal("-Infinity"), None),
        (None, None, None),
    ],
)
def test_of_two_equities_the_worse_one_counts_i37(
    ours: Decimal | None, venues: Decimal | None, counts: Decimal | None
) -> None:
    assert worse(ours, venues) == counts


def test_the_venues_equity_alone_can_be_the_loss_i37() -> None:
    assert codes(day_after(observed("100000"), observed("100000", venues="97900"))) == [
        "daily_loss"
    ]


def test_a_drawdown_counts_from_the_peak_of_the_day_i37() -> None:
    day = day_after(*equities("100000", "104000", "100880.01"))

    assert codes(day) == []
    assert codes(after(day, observed("100880"), LIMITS)) == ["drawdown"]
    (cause,) = alarms(after(day, observed("100880"), LIMITS), LIMITS, AT, is_flat=True)
    assert cause.detail == (
        "3120 USD below the day's peak of 104000, less than 3120.00 (3 %) allowed"
    )
    assert cause.state is CLOSE_ONLY


@pytest.mark.parametrize(
    ("equity", "traded", "jumps"),
    [
        ("110000", "0", True),
        ("109999", "0", False),
        ("90000", "0", True),
        ("90001", "0", False),
        ("90000", "0.01", False),
        ("80000", "10000", True),
        ("80000", "10000.01", False),
    ],
)
def test_equity_that_jumps_by_more_than_was_traded_is_an_alarm(
    equity: str, traded: str, jumps: bool
) -> None:
    half = Decimal(traded) / 2

    day = day_after(observed("100000"), Traded(half), Traded(half), observed(equity))

    assert ("nav_jump" in codes(day)) is jumps


def test_a_jump_is_told_of_the_observation_that_shows_it() -> None:
    jumped = day_after(*equities("100000", "85000"))
    (_, _, cause) = alarms(jumped, LIMITS, jumped.at, is_flat=False)

    assert (cause.code, cause.state) == ("nav_jump", HALTED)
    assert cause.detail == (
        "equity went from 100000 to 85000 USD at once, with 0 traded;"
        " less than 10000.00 (10 %) beyond that allowed"
    )
    assert "nav_jump" not in codes(after(jumped, observed("85000", jumped.at), LIMITS))
    assert "nav_jump" not in codes(after(jumped, observed(None, jumped.at), LIMITS))


def test_what_was_traded_explains_one_jump_only_and_waits_for_an_equity() -> None:
    before: list[Event] = [observed("100000"), Traded(Decimal(50_000)), observed(None)]

    assert "nav_jump" not in codes(day_after(*before, observed("80000")))
    assert "nav_jump" in codes(day_after(*before, observed("80000"), observed("60000")))


def test_a_jump_over_a_missing_equity_is_one() -> None:
    assert "nav_jump" in codes(day_after(*equities("100000", None, "85000")))


@pytest.mark.parametrize(
    ("path", "states"),
    [
        (["99001"], [NORMAL]),
        (["99500"], [NORMAL]),
        (["99000"], [DRAWDOWN]),
        (["99000", "99399"], [DRAWDOWN, DRAWDOWN]),
        (["99000", "99400"], [DRAWDOWN, RECOVERY]),
        (["99000", "99400", "99001"], [DRAWDOWN, RECOVERY, RECOVERY]),
        (["99000", "99400", "99000"], [DRAWDOWN, RECOVERY, DRAWDOWN]),
        (["99000", "99400", "99799"], [DRAWDOWN, RECOVERY, RECOVERY]),
        (["99000", "99400", "99800"], [DRAWDOWN, RECOVERY, NORMAL]),
        (["99000", "99800"], [DRAWDOWN, NORMAL]),
        (["99000", "99400", "99800", "99001"], [DRAWDOWN, RECOVERY, NORMAL, NORMAL]),
        (["99000", None, "99399"], [DRAWDOWN, DRAWDOWN, DRAWDOWN]),
    ],
)
def test_a_drawdown_is_over_only_when_its_equity_is_well_back_i37(
    path: Sequence[str | None], states: Sequence[DrawdownState]
) -> None:
    events = equities("100000", *path)

    assert [day_after(*events[: count + 2]).state for count in range(len(path))] == states


def flapping(step: int) -> AccountDay:
    return day_after(*equities("100000", "99000", "99800", "99000", "99800", step=step))


def test_states_that_change_too_often_are_an_alarm() -> None:
    day = flapping(20 * MINUTE - 1)

    assert codes(day) == ["drawdown_flapping"]
    assert day.changes == tuple(AT + count * (20 * MINUTE - 1) for count in (1, 2, 3, 4))
    assert "drawdown_flapping" not in codes(day, day.at + MINUTE)
    assert codes(flapping(20 * MINUTE)) == []


def test_a_change_from_the_future_counts_as_one_of_lately() -> None:
    assert "drawdown_flapping" in codes(flapping(MINUTE), AT - 100 * HOUR)


def test_no_more_changes_are_kept_than_the_alarm_needs() -> None:
    day = day_after(*equities(*["100000", "99000"] * 100))

    assert len(day.changes) == 4
    assert len(msgspec.json.encode(day)) < 500


def test_entries_risk_less_in_a_drawdown_and_nothing_beside_an_alarm_i37() -> None:
    calm, falling = day_after(observed("100000")), day_after(*equities("100000", "99000"))
    rising = after(falling, observed("99400"), LIMITS)
    loss = DAILY_LOSS.cause(since=AT, detail="")

    assert [risk_mode(day, ()) for day in (calm, falling, rising)] == [
        RiskMode.FULL,
        RiskMode.REDUCED,
        RiskMode.REDUCED,
    ]
    assert [risk_mode(day, (loss,)) for day in (calm, falling)] == [RiskMode.NONE] * 2
    assert [mode.share for mode in RiskMode] == [Decimal(1), Decimal("0.5"), Decimal(0)]


@pytest.mark.parametrize("start", ["0", "-5"])
def test_an_account_without_worth_is_beyond_every_limit_i37_i40(start: str) -> None:
    day = day_after(*equities(start, start))

    assert codes(day) == ["daily_loss", "drawdown", "nav_jump"]


NUMBERS = [
    *("daily_loss_pct_max", "drawdown_pct_max", "nav_jump_pct_max", "drawdown_begins_pct"),
    *("recovery_begins_pct", "recovery_ends_pct"),
]
COUNTS = ["flaps_max", "flap_window_ns", "equity_age_ns_max"]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value", [Decimal(0), Decimal(-1), Decimal("100.01"), Decimal("NaN"), 1, 1.0, True, None, ""]
)
def test_a_limit_is_a_percentage_above_zero_or_refused_i34_i40(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name}: found {value}, wanted a decimal above 0"):
        structs.replace(LIMITS, **{name: value})


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [0, -1, Decimal(1), 1.0, True, None, ""])
def test_a_limit_is_a_count_above_zero_or_refused_i34_i40(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name}: found {value}, wanted a whole number above 0"):
        structs.replace(LIMITS, **{name: value})


def test_every_limit_is_tried_i40() -> None:
    assert {*NUMBERS, *COUNTS} == set(DayLimits.__struct_fields__)


def test_a_jump_by_our_own_prices_alone_is_no_peak_before_the_venue_says_so_i37() -> None:
    jumped = day_after(*equities("100000", "110000"))
    back = after(jumped, observed("100000"), LIMITS)

    assert (jumped.peak, codes(jumped)) == (WHOLE, ["nav_jump"])
    assert codes(after(back, observed("100000"), LIMITS)) == []
    assert after(jumped, observed("110000", venues="109000"), LIMITS).peak == 109_000


def test_nor_does_the_next_day_begin_with_it_i37() -> None:
    jumped = day_after(*equities("100000", "110000"))
    next_day = after(jumped, observed("100000", WEDNESDAY), LIMITS)
    confirmed = after(jumped, observed("110000", venues="109000"), LIMITS)

    assert (next_day.day_start, next_day.peak) == (WHOLE, WHOLE)
    assert codes(after(next_day, observed("100000", WEDNESDAY + SECOND), LIMITS)) == []
    assert after(confirmed, observed("109000", WEDNESDAY), LIMITS).day_start == 109_000


def test_what_is_less_than_a_jump_or_was_traded_is_a_peak_at_once_i37() -> None:
    assert day_after(*equities("100000", "109999")).peak == 109_999
    traded = day_after(observed("100000"), Traded(Decimal(5_000)), observed("114999"))
    assert traded.peak == 114_999


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recovery_ends_pct", "0.6"),
        ("recovery_begins_pct", "1"),
        ("drawdown_begins_pct", "3.01"),
    ],
)
def test_the_marks_of_a_drawdown_follow_one_another_or_are_refused_i40(
    name: str, value: str
) -> None:
    with pytest.raises(ValueError, match="wanted each larger than the one before"):
        structs.replace(LIMITS, **{name: Decimal(value)})


def test_a_drawdown_may_begin_where_it_is_over_the_limit_i40() -> None:
    assert structs.replace(LIMITS, drawdown_begins_pct=Decimal(3)).drawdown_begins_pct == 3


MONEY = st.decimals(80_000, 120_000, places=2, allow_nan=False, allow_infinity=False)
LOOKS = st.tuples(
    st.one_of(st.none(), MONEY),
    st.one_of(st.none(), MONEY),
    st.sampled_from([0, SECOND, HOUR, 10 * HOUR, 30 * HOUR]),
    st.decimals(0, 20_000, places=2),
)


class Look(NamedTuple):
    """What was seen at a time; `traded` since the one before."""

    date: str
    equity: Decimal | None
    traded: Decimal
    has_venues: bool


@settings(max_examples=150, deadline=None)
@given(looks=st.lists(LOOKS, min_size=1, max_size=30))
def test_the_alarms_are_those_that_the_whole_history_gives_i37_i38(
    looks: list[tuple[Decimal | None, Decimal | None, int, Decimal]],
) -> None:
    """Whatever comes, and after a restart before each look: once beyond a limit, it is told."""
    day, at = AccountDay(), AT
    history: list[Look] = []
    for ours, venues, step, traded in looks:
        at += step
        date = trading_day(SESSIONS, at)
        day = after(day, Traded(traded), LIMITS)
        day = after(day, EquityObserved(ours=ours, venues=venues, session=date, at=at), LIMITS)
        day = msgspec.json.decode(msgspec.json.encode(day), type=AccountDay)
        known = [equity for equity in (ours, venues) if equity is not None]
        history.append(Look(date, min(known) if known else None, traded, venues is not None))

        found = alarms(day, LIMITS, at, is_flat=False)

        expected = expected_alarms(history)
        assert {cause.code for cause in found} - {"drawdown_flapping"} == expected


def expected_alarms(history: Sequence[Look]) -> set[str]:
    """From everything that was ever seen, in exact fractions."""
    if history[-1].equity is None:
        return {"equity_missing"}
    equity = known_of(history)[-1]
    seen = [number for number, look in enumerate(history) if look.equity is not None]
    date, start, peak, last = "", Fraction(0), Fraction(0), Fraction(0)
    for before, number in zip([-1, *seen], seen, strict=False):
        look = history[number]
        (found_equity,) = known_of([look])
        if not date:
            start = peak = found_equity
        elif look.date > date:
            start = peak = min(last, peak)
        date, last = look.date, found_equity
        peak = peak_after(peak, look, history[before + 1 : number + 1])
    found = set()
    if start - equity >= start * 2 / 100:
        found.add("daily_loss")
    if peak - equity >= peak * 3 / 100:
        found.add("drawdown")
    if len(seen) > 1:
        known = known_of(history)[-2]
        if abs(equity - known) - traded_in(history[seen[-2] + 1 :]) >= known / 10:
            found.add("nav_jump")
    return found


def peak_after(peak: Fraction, look: Look, since: Sequence[Look]) -> Fraction:
    """A jump over it by our own prices alone is none; `since`: the looks since the last equity."""
    assert look.equity is not None
    equity = Fraction(look.equity)
    if not look.has_venues and equity - peak - traded_in(since) >= peak / 10:
        return peak
    return max(peak, equity)


def traded_in(looks: Iterable[Look]) -> Fraction:
    return sum((Fraction(look.traded) for look in looks), Fraction(0))


def known_of(looks: Iterable[Look]) -> list[Fraction]:
    return [Fraction(look.equity) for look in looks if look.equity is not None]


@settings(max_examples=100, deadline=None)
@given(path=st.lists(MONEY, min_size=2, max_size=8), lower=MONEY)
def test_a_lower_equity_never_takes_an_alarm_of_loss_away_i37(
    path: list[Decimal], lower: Decimal
) -> None:
    def losses(last: Decimal) -> set[str]:
        events = equities(*(str(equity) for equity in (*path, last)))
        return set(codes(day_after(*events))) & {"daily_loss", "drawdown"}

    least, most = sorted((path[-1], lower))

    assert losses(most) <= losses(least)


def test_an_alarm_is_of_the_moment_it_is_asked_for_i37() -> None:
    day = day_after(*equities("100000", "97000"))
    found: tuple[Cause, ...] = alarms(day, LIMITS, AT + 7 * SECOND, is_flat=False)

    assert {cause.since for cause in found} == {AT + 7 * SECOND}


def test_a_lost_day_that_stands_is_halted_once_nothing_is_held_whatever_the_equity_does_i37() -> (
    None
):
    lost = DAILY_LOSS.cause(since=AT, detail="a test")
    other = structs.replace(lost, code="drawdown")

    assert closed_when_flat([other, lost]) == (structs.replace(lost, state=TradingState.HALTED),)


def agreed_upon(ours: str, venues: str) -> AccountDay:
    """A day in which both were read, and agreed."""
    return day_after(observed(ours, venues=venues))


@pytest.mark.parametrize(
    ("venues", "counts"),
    [
        ("100000", "100000"),
        ("97500", "97500"),
        ("130000", "100000"),  # what came may be anybody's
        ("NaN", None),
        (None, None),
    ],
)
def test_while_record_and_venue_differ_what_the_venue_has_lost_counts_and_no_gain_i29_i37(
    venues: str | None, counts: str | None
) -> None:
    day = parted(agreed_upon("100000", "100000"))

    found = held_back(day, None if venues is None else Decimal(venues))

    assert found == (None if counts is None else Decimal(counts))


def test_what_is_held_there_and_not_ours_covers_no_loss_while_they_differ_i29_i37() -> None:
    day = parted(agreed_upon("100000", "130000"))

    assert held_back(day, Decimal(130_000)) == 100_000
    assert held_back(day, Decimal(129_000)) == 99_000


def test_a_day_that_is_parted_twice_is_held_against_what_they_agreed_upon_i29_i37() -> None:
    day = parted(agreed_upon("100000", "100000"))
    lower = after(day, observed(None, AT + SECOND, "99000"), LIMITS)

    assert parted(lower) == lower
    assert held_back(lower, Decimal(101_000)) == 100_000


def test_without_the_venues_word_what_was_settled_is_a_jump_i29_i37() -> None:
    before = agreed_upon("100000", "100000")

    again = rejoined(parted(before), Decimal(80_000), None)

    assert again == before
    assert codes(after(again, observed("80000"), LIMITS)) == ["daily_loss", "drawdown", "nav_jump"]


@settings(max_examples=100, deadline=None)
@given(
    whole=MONEY,
    peak=st.decimals(0, 1_000, places=2),
    beyond=st.decimals(0, 30_000, places=2),
    gone=st.decimals(0, 20_000, places=2),
    settled=st.decimals(-20_000, 20_000, places=2),
)
def test_what_was_settled_is_no_loss_and_no_gain_and_what_was_lost_stays_lost_i29_i37(
    whole: Decimal, peak: Decimal, beyond: Decimal, gone: Decimal, settled: Decimal
) -> None:
    """Whatever a settlement makes of our record, and whatever went at the venue meanwhile."""
    before = day_after(
        observed(str(whole + peak)), observed(str(whole), venues=str(whole + beyond))
    )
    day = parted(before)
    day = after(day, observed(None, AT, str(held_back(day, whole + beyond - gone))), LIMITS)
    ours = whole - gone + settled
    venues = whole + beyond - gone + max(settled, Decimal(0))

    again = rejoined(day, ours, venues)

    counted, equity = held_back(day, venues), worse(ours, venues)
    assert counted is not None and equity is not None
    assert (again.differs, again.agreed) == (False, None)
    assert day.peak is not None and again.peak is not None
    assert day.day_start is not None and again.day_start is not None
    assert again.peak - equity == day.peak - counted
    assert again.day_start - equity == day.day_start - counted
