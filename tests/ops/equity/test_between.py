"""From which reading a bridge begins, and what is no beginning."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.ops.equity.between import AT_THE_OPENING, Kept, bridged, last_close, since_when
from hydra.trading.account_moves import Opening, RecordSide
from hydra.trading.account_reading import AccountReading, AccountStatement, Activity
from hydra.trading.durations import DAY, HOUR
from hydra.trading.equity_beginning import BeginningNotKnown
from hydra.trading.equity_bridge import Line, Section
from hydra.trading.sessions import ExchangeSession, SessionTable

D = Decimal
AT = 1_795_444_200_000_000_000
FRIDAY, MONDAY = AT - 3 * DAY, AT
SESSIONS = SessionTable(
    tuple(
        ExchangeSession(date, opens, opens + 6 * HOUR, early_close=False)
        for date, opens in (("2026-11-20", FRIDAY), ("2026-11-23", MONDAY))
    )
)
RECORD = RecordSide(opening=Opening(D(100), AT - HOUR), last_at=AT, life="this", account="PA-1")
DEPOSIT = Activity(id="d", kind="CSD", at=AT - 1, cash=D(7))


def reading(
    at: int = AT, cash: str = "107", account: str = "PA-1", life: str = ""
) -> AccountReading:
    return AccountReading(account=account, at=at, cash=D(cash), equity=D(cash), marks=(), life=life)


def statement(at: int = AT, session: str | None = None) -> AccountStatement:
    return AccountStatement(reading=reading(at), activities=(DEPOSIT,), last_session=session)


@pytest.mark.parametrize(
    ("begin", "why"),
    [
        (reading(account="PA-2"), "found a reading of account PA-2, wanted one of PA-1"),
        (reading(life="another"), "found a reading of another life of the record"),
        (reading(at=AT + 1), "found a reading of later than now"),
    ],
)
def test_a_reading_that_leads_nowhere_is_not_called_zero(begin: AccountReading, why: str) -> None:
    found = bridged(statement(), RECORD, Kept("mine", begin), None)

    assert (found.unexplained, found.is_zero) == (None, False)
    assert found.unknown.startswith(f"mine: {why}")


def test_a_young_record_is_followed_from_its_opening() -> None:
    found = bridged(statement(), RECORD, None, None)

    assert (found.since, found.is_zero) == (AT_THE_OPENING, True)
    assert found.lines == (Line(Section.ACTIVITIES, "CSD", D(7)),)
    assert since_when(RECORD, None) == AT - HOUR - 8 * DAY
    assert since_when(RecordSide(opening=Opening(D(1), AT - 9 * DAY), last_at=AT), None) is None
    assert since_when(RECORD, Kept("mine", reading(at=5))) == 5


@pytest.mark.parametrize(
    ("at", "session", "closed_at"),
    [
        (MONDAY + 7 * HOUR, "2026-11-23", MONDAY + 6 * HOUR),
        (MONDAY + 7 * HOUR, "2026-11-20", FRIDAY + 6 * HOUR),
        (MONDAY + 7 * HOUR, None, MONDAY + 6 * HOUR),
        (MONDAY + 1 * HOUR, "2026-11-23", FRIDAY + 6 * HOUR),
        (MONDAY + 1 * HOUR, "2026-11-21", FRIDAY + 6 * HOUR),
    ],
)
def test_the_close_is_that_of_the_session_which_the_venue_names(
    at: int, session: str | None, closed_at: int
) -> None:
    assert last_close(statement(at, session), SESSIONS) == closed_at


def test_without_any_close_nothing_is_known() -> None:
    with pytest.raises(BeginningNotKnown, match="no session of the exchange has closed"):
        last_close(statement(FRIDAY, None), SESSIONS)
