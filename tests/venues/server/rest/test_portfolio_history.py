"""How the account's value moved, window by window."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.trading.portfolio_history import (
    HistoryQuery,
    Reporting,
    Reset,
    Step,
    history_body,
    history_query,
)
from tests.venues.server.rest.stage import at

NOW = at("2026-11-24T15:00:00Z")
DAY = 24 * 3600 * 1_000_000_000


class Refusal(Exception):
    pass


def session(day: str) -> ExchangeSession:
    return ExchangeSession(day, at(f"{day}T14:30:00Z"), at(f"{day}T21:00:00Z"), early_close=False)


SESSIONS = SessionTable(tuple(session(f"2026-11-{day}") for day in (20, 23, 24)))
HISTORY = (
    (at("2026-11-23T14:00:00Z"), Decimal(100)),
    (at("2026-11-23T15:10:00Z"), Decimal(110)),
    (at("2026-11-24T14:40:00Z"), Decimal(99)),
)


def asked(**given: str) -> HistoryQuery:
    return history_query(Parameters(given, Refusal), NOW)


def body(**given: str) -> dict[str, object]:
    return history_body(asked(**given), HISTORY, SESSIONS)


def seconds(*moments: str) -> list[int]:
    return [at(f"2026-11-{moment}:00Z") // 1_000_000_000 for moment in moments]


def test_days_are_labeled_by_their_open_and_show_their_end() -> None:
    assert body(period="1M", timeframe="1D") == {
        "timestamp": seconds("23T14:30", "24T14:30"),
        "equity": [110, 99],
        "profit_loss": [10, -11],
        "profit_loss_pct": [0.1, -0.1],
        "base_value": 100,
        "base_value_asof": "2026-10-25",
        "timeframe": "1D",
        "cashflow": {},
    }


def test_without_a_reset_profit_is_that_since_the_beginning() -> None:
    told = body(period="1M", timeframe="1D", pnl_reset="no_reset")

    assert (told["profit_loss"], told["profit_loss_pct"]) == ([10, -1], [0.1, -0.01])


def test_hours_of_the_market_are_windows_of_the_session_alone() -> None:
    told = body(start="2026-11-23", timeframe="1H")

    assert told["timestamp"] == seconds(
        "23T14:30",
        "23T15:30",
        "23T16:30",
        "23T17:30",
        "23T18:30",
        "23T19:30",
        "23T20:30",
        "24T14:30",
    )
    assert told["equity"] == [110, 110, 110, 110, 110, 110, 110, 99]
    assert told["profit_loss"] == [10, 10, 10, 10, 10, 10, 10, -11]


def test_extended_hours_begin_at_four_in_new_york() -> None:
    told = body(start="2026-11-24", timeframe="1H", intraday_reporting="extended_hours")

    assert told["timestamp"] == seconds(
        "24T09:00", "24T10:00", "24T11:00", "24T12:00", "24T13:00", "24T14:00", "24T15:00"
    )


def test_continuous_windows_have_no_pauses() -> None:
    told = body(
        start="2026-11-23T13:20:00Z",
        end="2026-11-23T15:20:00Z",
        timeframe="15Min",
        intraday_reporting="continuous",
    )

    assert told["timestamp"] == seconds(
        "23T14:00", "23T14:15", "23T14:30", "23T14:45", "23T15:00", "23T15:15"
    )
    assert told["equity"] == [100, 100, 100, 100, 110, 110]


def test_the_base_is_the_value_at_the_start_itself() -> None:
    assert body(start="2026-11-23T15:10:00Z", timeframe="1H")["base_value"] == 110
    assert body(start="2026-11-23T15:09:59.999999999Z", timeframe="1H")["base_value"] == 100


def test_before_the_account_existed_there_is_nothing_to_show() -> None:
    told = history_body(asked(period="1D"), (), SESSIONS)

    assert (told["timestamp"], told["equity"], told["base_value"]) == ([], [], 0)
    assert body(start="2026-11-01", end="2026-11-20", timeframe="1D")["timestamp"] == []


@pytest.mark.parametrize(
    ("given", "step", "days"),
    [
        ({}, Step.QUARTER_HOUR, 30),
        ({"period": "1D"}, Step.MINUTE, 1),
        ({"period": "1w"}, Step.MINUTE, 7),
        ({"period": "2M"}, Step.DAY, 60),
        ({"period": "1A"}, Step.DAY, 365),
        ({"start": "2026-11-22T15:00:00Z"}, Step.MINUTE, 2),
        ({"end": "2026-11-22", "period": "3D"}, Step.MINUTE, 3),
        ({"start": "2026-11-01", "period": "2W"}, Step.QUARTER_HOUR, 14),
    ],
)
def test_what_is_not_said_follows_from_the_length(
    given: dict[str, str], step: Step, days: int
) -> None:
    query = asked(**given)

    assert (query.step, (query.end - query.start) // DAY) == (step, days)
    assert (query.reporting, query.reset) == (Reporting.MARKET_HOURS, Reset.PER_DAY)


@pytest.mark.parametrize(
    "given",
    [
        {"start": "2026-11-22", "end": "2026-11-23", "period": "1D"},
        {"period": "1H"},
        {"period": "0D"},
        {"timeframe": "2Min"},
        {"period": "2M", "timeframe": "1H"},
        {"intraday_reporting": "always"},
        {"pnl_reset": "never"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(Refusal):
        asked(**given)


@given(
    st.lists(st.integers(min_value=0, max_value=3 * DAY), min_size=1, max_size=6, unique=True),
    st.sampled_from(["1Min", "5Min", "15Min", "1H", "1D"]),
    st.sampled_from(["market_hours", "extended_hours", "continuous"]),
    st.sampled_from(["per_day", "no_reset"]),
    st.integers(min_value=1, max_value=5),
)
def test_all_columns_are_of_one_length_and_within_what_was_asked(
    ages: list[int], timeframe: str, reporting: str, reset: str, days: int
) -> None:
    history = tuple((NOW - age, Decimal(100 + age % 7)) for age in sorted(ages, reverse=True))
    query = asked(
        period=f"{days}D", timeframe=timeframe, intraday_reporting=reporting, pnl_reset=reset
    )

    told = history_body(query, history, SESSIONS)

    columns = [told[name] for name in ("timestamp", "equity", "profit_loss", "profit_loss_pct")]
    assert len({len(column) for column in columns if isinstance(column, list)}) == 1
    stamps = told["timestamp"]
    assert isinstance(stamps, list)
    assert stamps == sorted(set(stamps))
    assert all(query.start <= stamp * 1_000_000_000 <= query.end for stamp in stamps)
