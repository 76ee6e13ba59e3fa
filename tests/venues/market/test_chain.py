"""Generated option chains, as the tape shows them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.market import black_scholes
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.modelled_chain import ChainTerms
from hydra.venues.simulated.market.option_prices import prices_around_worth, step_at
from hydra.venues.simulated.market.rows import BadQuery, OptionSnapshot, PageQuery
from hydra.venues.simulated.market.smile import Smile
from hydra.venues.simulated.market.tape import MarketTerms, Tape
from hydra.venues.simulated.market.timeframes import Timeframe
from tests.venues.market.markets import (
    AAPL,
    CALENDAR,
    HOUR,
    MINUTE,
    MONDAY_OPEN,
    SECOND,
    bar,
    minutes,
    ns,
    real,
    tape,
    weekdays,
)

NOON = MONDAY_OPEN + 2 * MINUTE + 20 * SECOND
SHOWN = tape([*minutes("AAPL", *[100.0] * 390), bar("BTC/USD", MONDAY_OPEN, 90_000.0)])
CALL = "AAPL260116C00100000"
ALL = ContractQuery()


def contract(symbol: str, shown: Tape = SHOWN, at: int | None = None) -> OptionContract:
    found = shown.contract(symbol, at)
    assert found is not None
    return found


def snapshots(shown: Tape = SHOWN, at: int = NOON) -> dict[str, OptionSnapshot]:
    page = shown.history.chain("AAPL", ALL, at, 10_000, None)
    return {row.symbol: row for row in page.rows}


def test_a_contract_is_described_by_its_symbol() -> None:
    found = contract(CALL)

    assert found == OptionContract(
        id=found.id,
        symbol=CALL,
        underlying="AAPL",
        expiration=date(2026, 1, 16),
        right=Right.CALL,
        strike=Decimal(100),
    )
    assert SHOWN.contract(found.id) == found


@pytest.mark.parametrize(
    "name",
    [
        "AAPL260116C00100500",  # no such strike
        "AAPL260116C00150000",  # too far away
        "AAPL260115C00100000",  # a Thursday
        "AAPL280121C00100000",  # more than a year away
        "AAPL250117C00100000",  # before the market
        "MSFT260116C00100000",
        "BTCUSD260116C90000000",
        "AAPL",
        "12b3b110-9074-4f8b-a3aa-246e35f9cd8a",
    ],
)
def test_what_is_not_listed_is_no_contract_and_has_no_quote(name: str) -> None:
    assert SHOWN.contract(name) is None
    assert SHOWN.history.option_snapshot(name, NOON) is None
    if name != "AAPL":
        assert SHOWN.quote(name, NOON) is None
        assert not SHOWN.is_trading(name, NOON)


def test_the_chain_has_calls_and_puts_of_all_expirations_and_strikes_by_symbol() -> None:
    found = SHOWN.contracts(ALL, NOON)

    symbols = [each.symbol for each in found]
    assert symbols == sorted(set(symbols))
    assert len({each.expiration for each in found}) == 16
    assert len({each.strike for each in found}) == 41  # 80 to 120
    assert len(found) == 16 * 41 * 2
    assert {each.underlying for each in found} == {"AAPL"}
    assert all(SHOWN.contract(each.symbol, NOON) == each for each in found)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        (ContractQuery(underlyings=frozenset({"MSFT"})), 0),
        (ContractQuery(underlyings=frozenset({"AAPL"}), right=Right.PUT), 16 * 41),
        (ContractQuery(expiration=date(2026, 1, 16)), 82),
        (ContractQuery(expiration_to=date(2026, 1, 16)), 2 * 82),
        (ContractQuery(expiration_from=date(2026, 12, 1)), 82),
        (ContractQuery(strike_from=Decimal(99), strike_to=Decimal(101)), 16 * 2 * 3),
        (ContractQuery(root="AAPL", style="american", in_penny_program=True), 16 * 82),
        (ContractQuery(root="AAPL1"), 0),
        (ContractQuery(style="european"), 0),
        (ContractQuery(in_penny_program=False), 0),
    ],
)
def test_a_query_picks_from_the_chain(query: ContractQuery, number: int) -> None:
    assert len(SHOWN.contracts(query, NOON)) == number


def test_strikes_are_added_when_the_share_has_moved_and_none_is_taken_away() -> None:
    tuesday = MONDAY_OPEN + 24 * HOUR
    shown = tape([*minutes("AAPL", 100.0, 130.0), *minutes("AAPL", 130.0, start_at=tuesday)])

    on_monday = {each.symbol for each in shown.contracts(ALL, MONDAY_OPEN + 10 * HOUR)}
    on_tuesday = {each.symbol for each in shown.contracts(ALL, tuesday)}

    assert on_monday < on_tuesday
    assert "AAPL260116C00156000" in on_tuesday - on_monday


def test_a_contract_is_listed_from_the_first_price_to_the_close_of_its_last_day() -> None:
    friday = ns("2026-01-16T14:30:00Z")
    shown = tape(minutes("AAPL", *[100.0] * 5, start_at=friday))
    close = ns("2026-01-16T21:00:00Z")

    assert shown.contracts(ALL, friday - 10 * HOUR) == ()
    assert shown.quote(CALL, friday - 1) is None
    assert CALL in {each.symbol for each in shown.contracts(ALL, close - 1)}
    assert CALL not in {each.symbol for each in shown.contracts(ALL, close)}
    assert shown.is_trading(CALL, friday)
    assert not shown.is_trading(CALL, friday + 5 * MINUTE)


def test_open_interest_and_close_are_those_of_the_day_before() -> None:
    tuesday = MONDAY_OPEN + 24 * HOUR
    shown = tape([*minutes("AAPL", 100.0), *minutes("AAPL", 130.0, start_at=tuesday)])

    first, second = contract(CALL, shown, MONDAY_OPEN), contract(CALL, shown, tuesday)

    assert (first.close_price, first.close_price_date) == (None, None)
    assert second.open_interest is not None
    assert 0 <= second.open_interest <= 5_000
    assert second.open_interest_date == second.close_price_date == date(2026, 1, 5)
    terms = black_scholes.Terms(
        Right.CALL, 100.0, 100.0,
        (ns("2026-01-16T21:00:00Z") - MONDAY_OPEN - MINUTE) / black_scholes.YEAR_NS, 0.04,
    )  # fmt: skip
    worth = black_scholes.price(terms, Smile().volatility(100.0, 100.0, terms.years))
    assert float(second.close_price or 0) == pytest.approx(worth, abs=0.01)


def test_before_its_first_day_open_interest_is_by_the_first_price_and_of_no_date() -> None:
    shown = tape(
        [*minutes("AAPL", 100.0), *minutes("AAPL", 130.0, start_at=MONDAY_OPEN + 24 * HOUR)]
    )
    alone = tape(minutes("AAPL", 100.0))

    first = contract(CALL, shown, MONDAY_OPEN)

    assert first.open_interest is not None
    assert first.open_interest == contract(CALL, alone, MONDAY_OPEN).open_interest
    assert first.open_interest_date is None


def test_every_quote_can_be_quoted_and_holds_the_worth_of_the_option() -> None:
    terms = ChainTerms()

    for symbol, shown in snapshots().items():
        quote, found = shown.quote, contract(symbol)
        assert quote is not None
        assert 0 <= quote.bid < quote.ask
        assert (quote.bid_size == 0) == (quote.bid == 0)
        for side in (quote.bid, quote.ask):
            assert Decimal(repr(side)) % Decimal(repr(step_at(side, found.in_penny_program))) == 0
        close = CALENDAR.of_date(found.expiration.isoformat())
        assert close is not None
        years = (close.close_at - quote.at) / black_scholes.YEAR_NS
        option = black_scholes.Terms(found.right, 100.0, float(found.strike), years, terms.rate)
        volatility = terms.smile.volatility(100.0, float(found.strike), years)
        worth = black_scholes.american_price(option, volatility)
        assert quote.bid <= worth <= quote.ask
        assert quote.ask >= option.exercised


def test_quotes_are_wider_the_further_from_the_money_they_are() -> None:
    found = contract(CALL)

    widths = [
        ask - bid
        for bid, ask in (prices_around_worth(2.5, m, found) for m in (0.0, 0.5, -1.5, 3.0, 50.0))
    ]

    assert widths == sorted(widths)
    assert widths[0] < widths[-1] <= 2.5 * 0.5 + 0.1


@pytest.mark.parametrize(
    ("worth", "in_penny_program", "bid", "ask"),
    [
        (2.505, True, 2.49, 2.52),
        (10.0, True, 9.95, 10.05),
        (2.505, False, 2.45, 2.55),
        (10.0, False, 9.9, 10.1),
        (0.004, True, 0.0, 0.01),
        (3.0, True, 2.98, 3.05),
    ],
)
def test_options_are_quoted_in_the_steps_of_the_penny_programme_or_coarser(
    worth: float, in_penny_program: bool, bid: float, ask: float
) -> None:
    found = OptionContract(
        id="", symbol=CALL, underlying="AAPL", expiration=date(2026, 1, 16), right=Right.CALL,
        strike=Decimal(100), in_penny_program=in_penny_program,
    )  # fmt: skip

    assert prices_around_worth(worth, 0.0, found) == (bid, ask)


def test_greeks_and_volatility_are_told_near_the_money_alone() -> None:
    told = snapshots()

    near = told[CALL]
    assert near.greeks is not None
    assert near.implied_volatility == pytest.approx(0.30, abs=1e-4)
    assert 0.5 < near.greeks.delta < 0.6
    for row in told.values():
        assert (row.greeks is None) == (row.implied_volatility is None)
        if row.greeks is not None:
            assert row.quote is not None
            assert row.quote.bid > 0
            assert 0.02 <= abs(row.greeks.delta) <= 0.98
    without = {symbol for symbol, row in told.items() if row.greeks is None}
    assert {"AAPL260109C00120000", "AAPL260109C00080000"} <= without


def test_an_option_that_nobody_bids_for_has_no_greeks_however_near_it_is() -> None:
    shown = tape(minutes("F", *[0.5] * 5))

    page = shown.history.chain("F", ALL, MONDAY_OPEN, 100, None)

    without_bid = [row for row in page.rows if row.quote is not None and row.quote.bid == 0]
    assert [row.symbol for row in without_bid[:1]] == ["F260109C00000500"]  # at the money
    assert all(row.greeks is None for row in without_bid)


def test_there_are_no_greeks_on_the_last_day_and_while_the_share_does_not_trade() -> None:
    friday = ns("2026-01-09T14:30:00Z")
    shown = tape(minutes("AAPL", *[100.0] * 5, start_at=friday))

    on_its_day = shown.history.option_snapshot("AAPL260109C00100000", friday)
    later = shown.history.option_snapshot(CALL, friday)
    after_hours = shown.history.option_snapshot(CALL, friday + 10 * HOUR)

    assert on_its_day is not None and on_its_day.quote is not None and on_its_day.greeks is None
    assert later is not None and later.greeks is not None
    assert after_hours is not None and after_hours.quote is not None
    assert after_hours.greeks is None


def test_a_call_and_a_put_of_one_strike_have_the_same_volatility() -> None:
    told = snapshots()

    for symbol, row in told.items():
        other = told[symbol[:-9] + ("P" if symbol[-9] == "C" else "C") + symbol[-8:]]
        if row.implied_volatility is not None and other.implied_volatility is not None:
            assert row.implied_volatility == other.implied_volatility


@given(st.floats(10.0, 500.0), st.floats(0.5, 2.0), st.floats(0.001, 2.0))
def test_the_smile_has_its_bottom_near_the_money_and_keeps_its_bounds(
    spot: float, moneyness: float, years: float
) -> None:
    smile = Smile()

    volatility = smile.volatility(spot, spot * moneyness, years)

    assert 0.05 <= volatility <= 3.0
    assert smile.volatility(spot, spot, years) == 0.30
    below, above = (smile.volatility(100.0, strike, 0.25) for strike in (90.0, 110.0))
    assert below > above


def test_the_underlying_moves_its_options_quarter_by_quarter() -> None:
    shown = tape([bar("AAPL", MONDAY_OPEN, 100.0, 110.0, 90.0, 105.0)])

    bids = [
        quote.bid
        for quarter in range(4)
        if (quote := shown.quote(CALL, MONDAY_OPEN + quarter * 15 * SECOND)) is not None
    ]

    assert bids[1] < bids[0] < bids[3] < bids[2]
    quote = shown.quote(CALL, MONDAY_OPEN + 20 * SECOND)
    assert quote is not None
    assert quote.at == MONDAY_OPEN + 15 * SECOND
    assert quote.last == (quote.bid + quote.ask) / 2


def test_the_same_seed_gives_the_same_chain_and_another_one_another() -> None:
    bars = minutes("AAPL", *[100.0] * 10)
    other = MarketTerms(options=ChainTerms(seed=1))

    assert snapshots(tape(bars)) == snapshots(tape(bars))
    assert snapshots(tape(bars)) != snapshots(tape(bars, other))


def test_what_comes_later_does_not_change_the_chain() -> None:
    early = minutes("AAPL", 100.0, 101.0, 102.0)
    late = minutes("AAPL", 300.0, 20.0, start_at=MONDAY_OPEN + 48 * HOUR)
    at = MONDAY_OPEN + MINUTE + SECOND

    alone, with_more = tape(early[:2]), tape([*early, *late])

    assert snapshots(alone, at) == snapshots(with_more, at)
    assert alone.contracts(ALL, at) == with_more.contracts(ALL, at)


@pytest.mark.parametrize("limit", [33, 82, 164, 1_000])
def test_pages_of_the_chain_one_after_another_are_the_chain(limit: int) -> None:
    query = ContractQuery(expiration_to=date(2026, 1, 16))
    whole = SHOWN.history.chain("AAPL", query, NOON, 10_000, None)
    rows: list[OptionSnapshot] = []
    token: str | None = None

    while True:
        page = SHOWN.history.chain("AAPL", query, NOON, limit, token)
        rows.extend(page.rows)
        token = page.next_token
        if token is None:
            break

    assert tuple(rows) == whole.rows
    assert len(rows) == 164


def test_a_chain_of_nothing_is_empty_and_a_bad_page_is_refused() -> None:
    assert SHOWN.history.chain("BTC/USD", ALL, NOON, 10, None).rows == ()
    with pytest.raises(BadQuery, match="invalid page_token"):
        SHOWN.history.chain("AAPL", ALL, NOON, 10, "?")
    with pytest.raises(BadQuery, match="invalid limit"):
        SHOWN.history.chain("AAPL", ALL, NOON, 0, None)


def test_an_option_trades_now_and_then_at_its_worth_and_has_bars_where_it_did() -> None:
    query = PageQuery(symbols=(CALL,), start=0, end=MONDAY_OPEN + 24 * HOUR, limit=10_000)
    at = MONDAY_OPEN + 24 * HOUR

    bars = SHOWN.history.bars(query, Timeframe.parse("1Min"), at).rows
    trades = SHOWN.history.trades(query, at).rows

    assert 10 <= len(bars) <= 80
    assert sum(row.volume for row in bars) == sum(trade.size for trade in trades)
    assert all(trade.size.is_integer() for trade in trades)
    for trade in trades:
        quote = SHOWN.quote(CALL, trade.at)
        assert quote is not None
        assert quote.bid <= Decimal(repr(trade.price)) <= quote.ask
    assert SHOWN.history.latest_trade(CALL, at) == trades[-1]
    assert SHOWN.history.latest_bar(CALL, at) == bars[-1]
    far = PageQuery(symbols=("AAPL260109C00120000",), start=0, end=at)
    assert SHOWN.history.bars(far, Timeframe.parse("1Min"), at).rows == ()


def test_a_chain_on_a_real_share_lists_its_weeklies_and_monthlies() -> None:
    bars = real(AAPL)
    shown = tape(bars, calendar=weekdays("2016-04-01", "2017-06-30"))

    found = shown.contracts(ContractQuery(right=Right.CALL), bars[-1].start_at)

    assert found[0].symbol == "AAPL160506C00075000"  # within a fifth of 93.74, the lowest close
    assert {each.expiration for each in found} >= {date(2016, 5, 20), date(2017, 4, 21)}
