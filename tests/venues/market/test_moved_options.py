"""A file's option contracts and volatilities, moved and scaled for a share of another time."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.venues.bar_rows import BadData
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.market import black_scholes
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.implied_chain import ImpliedChain
from hydra.venues.simulated.market.manifest import Entry
from hydra.venues.simulated.market.modelled_chain import ChainTerms
from hydra.venues.simulated.market.moved_options import (
    Known,
    MovedContract,
    MovedOptions,
    moved_options,
)
from hydra.venues.simulated.market.series import Series
from hydra.venues.simulated.market.tape import MarketTerms, Tape
from tests.venues.market.markets import (
    HOUR,
    MINUTE,
    SECOND,
    market,
    minutes,
    ns,
    real_path,
    weekdays,
)

CALENDAR = weekdays("2016-04-01", "2017-06-30", closed=["2016-05-20"])
HEADER = (
    "date,underlying,underlying_close,occ_symbol,expiration,right,strike,bid,ask,open_interest,iv,"
    "delta,gamma"
)
FRIDAY = "2021-04-16,SPY,400,SPY210618C00402000,2021-06-18,C,402,5,6,700,0.2,0.4,0.01"
MONDAY = "2021-04-19,SPY,410,SPY210618C00402000,2021-06-18,C,402,9,9.1,,0.3,0.6,0.01"
MONDAYS_PUT = "2021-04-19,SPY,410,SPY210618P00402000,2021-06-18,P,402,9,9.1,20,0.25,-0.6,0.01"
CALL, PUT = "SPY160617C00100500", "SPY160617P00100500"
OPEN, CLOSE = ns("2016-04-18T13:30:00Z"), ns("2016-04-18T20:00:00Z")
TUESDAY = OPEN + 24 * HOUR
BARS = (
    *minutes("SPY", *[100.0] * 390, start_at=OPEN),
    *minutes("SPY", *[104.0] * 390, start_at=TUESDAY),
)
EXPIRES = ns("2016-06-17T20:00:00Z")
FRIDAYS = Known(ns("2016-04-15T20:00:00Z"), 0.2, 700)


def entry(folder: Path, *rows: str, weeks: int = -261, symbol: str = "SPY") -> Entry:
    path = folder / "spy.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    return Entry(path, symbol, weeks, "MANIFEST.yaml, line 9")


def moved(folder: Path, *rows: str, weeks: int = -261) -> MovedOptions:
    return moved_options(entry(folder, *rows, weeks=weeks), BARS, CALENDAR)


def shown(options: MovedOptions, seed: int = 0) -> Tape:
    data = structs.replace(market(BARS, CALENDAR), moved_options=(options,))
    terms = MarketTerms()
    terms = structs.replace(terms, options=structs.replace(terms.options, seed=seed))
    return Tape(data, CALENDAR, terms)


def test_dates_are_moved_by_weeks_and_strikes_scaled_by_one_number_and_it_is_said(
    tmp_path: Path,
) -> None:
    assert moved(tmp_path, FRIDAY, MONDAY, MONDAYS_PUT) == MovedOptions(
        underlying="SPY",
        contracts=(
            MovedContract(CALL, (FRIDAYS, Known(CLOSE, 0.3, None))),
            MovedContract(PUT, (Known(CLOSE, 0.25, 20),)),
        ),
        told=(
            "options on SPY priced by Black and Scholes with contracts and volatilities of spy.csv,"
            " SHIFTED by -261 weeks, strikes times 0.25"
        ),
    )


def test_the_scale_is_by_the_newest_day_before_the_first_bar(tmp_path: Path) -> None:
    early = FRIDAY.replace("2021-04-16,SPY,400", "2021-04-15,SPY,200")

    (call,) = moved(tmp_path, early, FRIDAY).contracts

    assert call.symbol == CALL
    assert [each.at for each in call.known] == [FRIDAYS.at - 24 * HOUR, FRIDAYS.at]


def test_an_expiration_on_a_holiday_is_on_the_session_before_it(tmp_path: Path) -> None:
    may = FRIDAY.replace("210618", "210521").replace("2021-06-18", "2021-05-21")

    (call,) = moved(tmp_path, may).contracts

    assert call.symbol == "SPY160519C00100500"


def test_what_is_over_when_the_market_begins_or_begins_when_it_is_over_is_left_out(
    tmp_path: Path,
) -> None:
    over = FRIDAY.replace("210618", "210416").replace("2021-06-18", "2021-04-16")
    late = MONDAYS_PUT.replace("2021-04-19", "2021-04-20")

    (call,) = moved(tmp_path, over, FRIDAY, late).contracts

    assert call.symbol == CALL


def test_a_row_without_volatility_says_nothing(tmp_path: Path) -> None:
    silent = MONDAY.replace(",0.3,", ",0.0,")

    assert moved(tmp_path, FRIDAY, silent) == moved(tmp_path, FRIDAY)


def test_it_is_priced_by_the_shares_price_now_and_the_volatility_known_by_then(
    tmp_path: Path,
) -> None:
    tape = shown(moved(tmp_path, FRIDAY, MONDAY))

    for at, spot, volatility in ((OPEN, 100.0, 0.2), (TUESDAY, 104.0, 0.3)):
        now = at + 5 * MINUTE + 50 * SECOND  # at its close
        found = tape.history.option_snapshot(CALL, now)
        assert found is not None
        assert found.quote is not None
        years = (EXPIRES - found.quote.at) / black_scholes.YEAR_NS
        terms = black_scholes.Terms(Right.CALL, spot, 100.5, years, 0.04)
        worth = black_scholes.american_price(terms, volatility)
        assert found.quote.bid <= worth <= found.quote.ask
        assert found.quote.ask - found.quote.bid < 0.02 * worth + 0.05  # a step
        assert found.implied_volatility == volatility
        assert found.greeks == black_scholes.greeks(terms, volatility)


def test_a_contract_is_there_from_the_close_of_its_first_day_to_its_expiration(
    tmp_path: Path,
) -> None:
    tape = shown(moved(tmp_path, FRIDAY, MONDAYS_PUT))

    def listed(at: int) -> list[str]:
        return [each.symbol for each in tape.contracts(ContractQuery(), at)]

    assert listed(CLOSE - 1) == [CALL]
    assert tape.quote(PUT, CLOSE - 1) is None
    assert not tape.is_trading(PUT, CLOSE - 1)
    assert listed(CLOSE) == [CALL, PUT]
    assert tape.quote(PUT, CLOSE) is None, "its first price is the next session's"
    assert tape.quote(PUT, TUESDAY) is not None
    assert tape.is_trading(PUT, TUESDAY)
    assert listed(EXPIRES) == []


def test_nothing_was_traded_of_a_contract_before_it_was_there(tmp_path: Path) -> None:
    options = moved(tmp_path, FRIDAY, MONDAYS_PUT)

    for seed in range(3):
        chain = ImpliedChain(Series.of("SPY", BARS), CALENDAR, ChainTerms(seed=seed), options)
        first = {}
        for contract in chain.all_contracts():
            series = chain.series(contract)
            bars = (series.bar(index) for index in range(len(series)))
            first[contract.symbol] = next(bar.start_at for bar in bars if bar.volume)
        assert first[CALL] < CLOSE
        assert first[PUT] >= TUESDAY


def test_a_contract_has_the_newest_open_interest_and_the_close_of_the_day_before(
    tmp_path: Path,
) -> None:
    tape = shown(moved(tmp_path, FRIDAY, MONDAY))
    bare = tape.contract(CALL)
    assert bare is not None
    assert bare == OptionContract(
        id=bare.id,
        symbol=CALL,
        underlying="SPY",
        expiration=date(2016, 6, 17),
        right=Right.CALL,
        strike=Decimal("100.5"),
    )

    first = tape.contract(CALL, OPEN)
    second = tape.contract(CALL, TUESDAY)

    assert first == structs.replace(bare, open_interest=700, open_interest_date=date(2016, 4, 15))
    assert second is not None
    assert second.close_price is not None
    assert abs(second.close_price - Decimal("4.8")) < 1
    assert second == structs.replace(
        bare, close_price=second.close_price, close_price_date=date(2016, 4, 18)
    )


def test_a_contract_that_was_not_there_has_no_close_of_the_day_before(tmp_path: Path) -> None:
    bars = (*BARS, *minutes("SPY", 104.0, start_at=TUESDAY + 24 * HOUR))
    late = MONDAYS_PUT.replace("2021-04-19", "2021-04-20")
    options = moved_options(entry(tmp_path, FRIDAY, late), bars, CALENDAR)
    chain = ImpliedChain(Series.of("SPY", bars), CALENDAR, ChainTerms(), options)

    described = [chain.contract(PUT, CLOSE + days * 24 * HOUR) for days in (1, 2)]

    assert [each and each.close_price_date for each in described] == [None, date(2016, 4, 19)]


PLACE = "MANIFEST.yaml, line 9: found options on SPY moved by"


@pytest.mark.parametrize(
    ("row", "weeks", "fault"),
    [
        (MONDAY, -261, "-261 weeks, quoted from 2016-04-18 on; wanted a day of quotes before"),
        (FRIDAY, -270, "-270 weeks, of which none is listed on 2016-04-18, the day of the first"),
        (FRIDAY, -9999, "-9999 weeks, with SPY210618C00402000: found SPY 1829-10-30 100.5;"),
        (FRIDAY.replace("2021-04-16", "0100-04-16"), -9999, "-9999 weeks out of the calendar"),
    ],
    ids=["no day before", "all over", "no year for options", "out of the calendar"],
)
def test_a_shift_that_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, row: str, weeks: int, fault: str
) -> None:
    with pytest.raises(BadData) as refusal:
        moved(tmp_path, row, weeks=weeks)

    assert str(refusal.value).startswith(f"{PLACE} {fault}")
    assert str(refusal.value).endswith("; choose another shift_weeks")
    assert "\n" not in str(refusal.value)


def test_two_contracts_that_would_become_one_are_refused(tmp_path: Path) -> None:
    near = FRIDAY.replace("402000", "402010").replace("402,5", "402.01,5")

    with pytest.raises(BadData) as refusal:
        moved(tmp_path, FRIDAY, near)

    assert str(refusal.value) == (
        f"{PLACE} -261 weeks, where SPY210618C00402010 and another one become {CALL}; "
        "wanted contracts that stay apart; choose another shift_weeks"
    )


def test_options_on_another_share_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData) as refusal:
        moved(tmp_path, FRIDAY.replace("SPY", "QQQ"))

    assert str(refusal.value) == (
        "MANIFEST.yaml, line 9: found options on QQQ in spy.csv; wanted options on SPY; "
        "take another file"
    )


def test_options_on_what_is_not_in_the_market_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData) as refusal:
        moved_options(entry(tmp_path, FRIDAY, symbol="QQQ"), BARS, CALENDAR)

    assert str(refusal.value) == (
        "MANIFEST.yaml, line 9: found options on QQQ, of which there are no bars; wanted a share "
        "that is under bars; correct the manifest"
    )


def test_two_markets_with_other_options_are_not_one(tmp_path: Path) -> None:
    without = market(BARS, CALENDAR)
    one, other = (
        structs.replace(without, moved_options=(moved(tmp_path, *rows),))
        for rows in ([FRIDAY], [FRIDAY, MONDAY])
    )

    assert len({without.digest, one.digest, other.digest}) == 3


@pytest.mark.slow
def test_the_real_options_of_2021_fit_a_share_of_2016(tmp_path: Path) -> None:
    real = real_path("options_eod/SPY_options_eod_2021-01-04_2021-08-31.csv.gz")
    place = Entry(real, "SPY", -261, "MANIFEST.yaml, line 9")

    options = moved_options(place, BARS, CALENDAR)

    tape = shown(options)
    at = TUESDAY + HOUR
    found = tape.history.chain("SPY", ContractQuery(), at, 10_000, None).rows
    assert len(found) > 100
    near = [each for each in found if each.greeks and 0.25 <= abs(each.greeks.delta) <= 0.6]
    assert {symbol[9] for symbol in (each.symbol for each in near)} == {"C", "P"}
    assert all(each.quote and 0 < each.quote.bid < each.quote.ask for each in near)
