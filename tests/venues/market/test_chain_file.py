"""Option chains from files of end-of-day quotes."""

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.venues.bar_rows import BadData
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.market.chain_file import FileChain, read_chain
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.events import QuoteChanged
from hydra.venues.simulated.market.rows import Greeks
from hydra.venues.simulated.market.tape import Tape
from tests.venues.market.markets import HOUR, market, minutes, ns, real_path, weekdays

HEADER = (
    "date,underlying,underlying_close,occ_symbol,expiration,dte,right,strike,bid,ask,last,volume,"
    "open_interest,iv,delta,gamma,theta,vega"
)
MONDAY = (
    "2021-01-04,SPY,368.79,SPY210129P00345000,2021-01-29,25,P,345.0,2.76,2.78,2.71,7424,48199,"
    "0.28804,-0.17798,0.00937,-0.1447,0.25147"
)
TUESDAY = (
    "2021-01-05,SPY,371.33,SPY210129P00345000,2021-01-29,24,P,345.0,2.10,2.12,2.11,100,48210,"
    "0.27,-0.15,0.009,-0.14,0.24"
)
PUT = "SPY210129P00345000"
CALENDAR = weekdays("2020-12-15", "2022-02-28")
MONDAY_CLOSE, TUESDAY_CLOSE = ns("2021-01-04T21:00:00Z"), ns("2021-01-05T21:00:00Z")


def written(folder: Path, *rows: str, header: str = HEADER, name: str = "spy.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]))
    return path


def chain(folder: Path, *rows: str) -> FileChain:
    return read_chain([written(folder, *rows)], CALENDAR)


def shown(options: FileChain) -> Tape:
    """The chain in a market of another share's bars."""
    bars = minutes("AAPL", *[100.0] * 5, start_at=ns("2021-01-05T14:30:00Z"))
    return Tape(market(bars, CALENDAR), CALENDAR, None, {options.underlying: options})


def test_quotes_of_a_day_are_seen_from_its_close_on_until_the_next_ones(tmp_path: Path) -> None:
    tape = shown(chain(tmp_path, MONDAY, TUESDAY))

    assert tape.history.latest_quote(PUT, MONDAY_CLOSE - 1) is None
    assert tape.contracts(ContractQuery(underlyings=frozenset({"SPY"})), MONDAY_CLOSE - 1) == ()
    assert tape.history.latest_quote(PUT, TUESDAY_CLOSE - 1) == QuoteChanged(
        PUT, MONDAY_CLOSE, 2.76, 2.78, 10.0, 10.0
    )
    assert tape.history.latest_quote(PUT, TUESDAY_CLOSE + 500 * HOUR) == QuoteChanged(
        PUT, TUESDAY_CLOSE, 2.10, 2.12, 10.0, 10.0
    )


def test_the_contract_is_described_as_of_the_newest_day(tmp_path: Path) -> None:
    options = chain(tmp_path, MONDAY, TUESDAY)

    found = options.contract(PUT, TUESDAY_CLOSE - 1)

    assert found == OptionContract(
        id=found.id if found else "",
        symbol=PUT,
        underlying="SPY",
        expiration=date(2021, 1, 29),
        right=Right.PUT,
        strike=Decimal(345),
        open_interest=48_199,
        open_interest_date=date(2021, 1, 4),
        close_price=Decimal("2.71"),
        close_price_date=date(2021, 1, 4),
    )
    assert options.contract("SPY210129P00346000") is None


def test_greeks_and_volatility_are_the_files_own_and_rho_is_computed(tmp_path: Path) -> None:
    snapshot = shown(chain(tmp_path, MONDAY)).history.option_snapshot(PUT, MONDAY_CLOSE)

    assert snapshot is not None
    assert snapshot.implied_volatility == 0.28804
    assert snapshot.greeks == Greeks(
        -0.17798, 0.00937, -0.1447, 0.25147, rho=snapshot.greeks.rho if snapshot.greeks else 0.0
    )
    assert snapshot.greeks is not None
    assert snapshot.greeks.rho == pytest.approx(-0.047, abs=0.005)


def test_what_the_file_does_not_know_is_absent_or_computed(tmp_path: Path) -> None:
    without = MONDAY.replace(",0.28804,", ",0.0,")
    short = MONDAY.removesuffix(",-0.1447,0.25147") + ",,"

    assert shown(chain(tmp_path, without)).history.option_snapshot(PUT, MONDAY_CLOSE) is not None
    assert chain(tmp_path, without).valuation(_put(), MONDAY_CLOSE) is None
    computed = chain(tmp_path, short).valuation(_put(), MONDAY_CLOSE)
    assert computed is not None
    assert computed[0].theta == pytest.approx(-0.1447, rel=0.02)
    assert computed[0].vega == pytest.approx(0.25147, rel=0.02)


def _put() -> OptionContract:
    return OptionContract(
        id="", symbol=PUT, underlying="SPY", expiration=date(2021, 1, 29), right=Right.PUT,
        strike=Decimal(345),
    )  # fmt: skip


def test_a_row_whose_bid_is_not_under_its_ask_has_no_quote_and_the_one_before_stands(
    tmp_path: Path,
) -> None:
    crossed = TUESDAY.replace("2.10,2.12", "2.12,2.12")

    quote = shown(chain(tmp_path, MONDAY, crossed)).history.latest_quote(PUT, TUESDAY_CLOSE)

    assert quote is not None
    assert quote.at == MONDAY_CLOSE


def test_the_options_trade_in_sessions_while_they_are_quoted_and_have_not_expired(
    tmp_path: Path,
) -> None:
    tape = shown(chain(tmp_path, MONDAY, TUESDAY))

    trading = {
        text: tape.is_trading(PUT, ns(text))
        for text in (
            "2021-01-04T20:59:00Z", "2021-01-04T21:01:00Z", "2021-01-05T14:30:00Z",
            "2021-01-29T20:59:00Z", "2021-01-29T21:00:00Z", "2021-02-01T15:00:00Z",
        )
    }  # fmt: skip

    assert [at for at, trades in trading.items() if trades] == [
        "2021-01-05T14:30:00Z",
        "2021-01-29T20:59:00Z",
    ]
    assert tape.history.latest_trade(PUT, TUESDAY_CLOSE) is None


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([], "found a header and no rows"),
        ([TUESDAY, MONDAY], "line 3: found date 2021-01-04 after 2021-01-05; wanted rising dates"),
        ([MONDAY, MONDAY], "line 3: found SPY210129P00345000 again on 2021-01-04"),
        ([MONDAY.replace(",345.0,", ",346.0,")], "wanted the same contract in both"),
        ([MONDAY.replace(",P,345", ",C,345")], "wanted the same contract in both"),
        ([MONDAY.replace(",P,345", ",X,345")], "wanted the same contract in both"),
        ([MONDAY.replace("2021-01-29,25", "2021-01-30,25")], "wanted the same contract in both"),
        ([MONDAY.replace("SPY210129", "SPY210199")], "wanted an option symbol such as"),
        ([MONDAY.replace("2021-01-04", "4.1.2021")], "found date '4.1.2021'; wanted a date"),
        ([MONDAY.replace("2021-01-04", "2021-02-04")], "wanted it alive"),
        ([MONDAY.replace("SPY,368.79", ",368.79")], "wanted it alive"),
        ([MONDAY.replace("2.76", "x")], "line 2: found bid 'x'; wanted a number"),
        ([MONDAY.replace("2.76", "")], "found bid ''; wanted a number"),
        ([MONDAY.replace("2.76", "nan")], "found bid 'nan'; wanted a number"),
        ([MONDAY.replace("2.76", "-1")], "found bid -1.0"),
        ([MONDAY.replace("368.79", "0")], "underlying_close 0.0; wanted no quote under 0"),
        ([MONDAY + ",1"], "line 2: found more or fewer fields than columns"),
        ([MONDAY.rpartition(",")[0]], "line 2: found more or fewer fields than columns"),
        ([MONDAY, TUESDAY.replace(",SPY,", ",QQQ,")], "found underlying 'QQQ'; wanted one, SPY"),
        ([MONDAY.replace("2021-01-04", "2021-01-03")], "which is no session of the exchange"),
    ],
)
def test_a_bad_file_is_refused_with_one_line_that_says_where_and_what(
    tmp_path: Path, rows: list[str], fault: str
) -> None:
    with pytest.raises(BadData) as refusal:
        chain(tmp_path, *rows)

    assert fault in str(refusal.value)
    assert str(refusal.value).startswith(str(tmp_path / "spy.csv"))
    assert "\n" not in str(refusal.value)


def test_a_file_without_a_column_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    bare = written(tmp_path, MONDAY, header=HEADER.replace("iv", "vol"), name="bare.csv")
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"date")[:-4])

    for path, fault in (
        (bare, "line 1: found no column iv"),
        (tmp_path / "none.csv", "found no such file"),
        (broken, "found a file that cannot be read"),
    ):
        with pytest.raises(BadData) as refusal:
            read_chain([path], CALENDAR)
        assert fault in str(refusal.value)


def test_files_follow_one_another_in_time(tmp_path: Path) -> None:
    monday = written(tmp_path, MONDAY, name="monday.csv")
    tuesday = written(tmp_path, TUESDAY, name="tuesday.csv")

    assert read_chain([monday, tuesday], CALENDAR).contract(PUT, TUESDAY_CLOSE) is not None
    with pytest.raises(BadData, match="found SPY of 2021-01-04 after SPY of 2021-01-05"):
        read_chain([tuesday, monday], CALENDAR)


def test_a_real_chain_of_an_index_is_read_whole() -> None:
    path = real_path("options_eod/SPX_chain_eod_2019-04-25.csv.gz")
    options = read_chain([path], weekdays("2019-04-01", "2020-06-30"))
    at = ns("2019-04-26T14:00:00Z")

    found = list(options.contracts(at))

    assert (options.underlying, options.roots) == ("SPX", frozenset({"SPX", "SPXW"}))
    assert len(found) == 13_340
    assert {(each.style, each.in_penny_program) for each in found} == {("european", False)}
    quotes = [options.quote(each, at) for each in found]
    assert all(quote is not None and quote.bid < quote.ask for quote in quotes)
    valued = [options.valuation(each, at) for each in found]
    assert sum(each is None for each in valued) == 826


def test_a_real_chain_over_many_days_is_read_whole() -> None:
    path = real_path("options_eod/SPY_options_eod_2021-01-04_2021-08-31.csv.gz")
    options = read_chain([path], CALENDAR)

    snapshot = shown(options).history.option_snapshot(PUT, MONDAY_CLOSE)

    assert len(list(options.contracts(ns("2021-01-04T21:00:00Z")))) == 20
    assert snapshot is not None
    assert snapshot.implied_volatility == 0.28804
