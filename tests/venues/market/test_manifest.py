"""Several files of bars as one market, some of them moved by whole weeks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hydra.trading.bars import Bar
from hydra.venues.bar_rows import BadData
from hydra.venues.simulated.market.contract_query import ContractQuery
from hydra.venues.simulated.market.events import BarEnded
from hydra.venues.simulated.market.tape import MarketTerms, open_tape
from hydra.venues.simulated.market_data import MarketData, from_path
from tests.venues.market.markets import AAPL, BTC, MINUTE, SPY, ns, real, real_path


def bars_file(folder: Path, name: str, *starts: str) -> None:
    """A file with three minute bars from each of these times (UTC) on."""
    rows = ["ts_utc,open,high,low,close,volume"]
    for start in starts:
        begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
        for minute in range(3):
            at = begins + timedelta(minutes=minute)
            rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ},10.0,10.2,9.9,10.{minute},100")
    (folder / name).write_text("\n".join([*rows, ""]))


def manifest(folder: Path, *entries: str) -> Path:
    """A manifest of `file, symbol[, shift_weeks]`."""
    lines = ["bars:"]
    for entry in entries:
        file, symbol, *shift = entry.split(", ")
        lines += [f"  - file: {file}", f"    symbol: {symbol}"]
        lines += [f"    shift_weeks: {weeks}" for weeks in shift]
    path = folder / "MANIFEST.yaml"
    path.write_text("\n".join([*lines, ""]))
    return path


def starts(data: MarketData, symbol: str) -> list[int]:
    return [each.start_at for each in data.bars if each.symbol == symbol]


def minutes_from(*times: str) -> list[int]:
    return [ns(time) + n * MINUTE for time in times for n in range(3)]


def refusal_of(path: Path, cache: Path) -> str:
    with pytest.raises(BadData) as refusal:
        from_path(path, cache)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_files_of_different_years_become_one_market_and_it_is_said(
    tmp_path: Path, calendar_cache: Path
) -> None:
    bars_file(tmp_path, "a.csv", "2016-04-15T13:30", "2016-04-18T13:30")
    bars_file(tmp_path, "b.csv", "2016-03-14T13:31", "2016-03-18T13:30")
    bars_file(tmp_path, "cUSDT.csv", "2024-01-01T00:00", "2024-01-05T23:30")
    path = manifest(tmp_path, "a.csv, AAPL", "b.csv, SPY, 5", "cUSDT.csv, BTC/USD, -402")

    data = from_path(path, calendar_cache)

    assert data.symbols == ("AAPL", "SPY", "BTC/USD")
    assert data.origin == (
        "real bars of MANIFEST.yaml: AAPL, SPY SHIFTED by +5 weeks, "
        "BTC/USD (USDT counted as USD) SHIFTED by -402 weeks"
    )
    assert starts(data, "AAPL") == minutes_from("2016-04-15T13:30Z", "2016-04-18T13:30Z")
    assert starts(data, "SPY") == minutes_from("2016-04-18T13:31Z", "2016-04-22T13:30Z")
    assert starts(data, "BTC/USD") == minutes_from("2016-04-18T00:00Z", "2016-04-22T23:30Z")
    assert [session.date for session in data.sessions.sessions] == [
        "2016-04-14",  # what a coin does before the first bell belongs to its day
        "2016-04-15", "2016-04-18", "2016-04-19", "2016-04-20", "2016-04-21", "2016-04-22",
    ]  # fmt: skip
    ends = [(each.end_at, data.symbols.index(each.symbol)) for each in data.bars]
    assert ends == sorted(ends)


def test_a_session_keeps_its_new_york_hours_over_a_change_of_the_clocks_i50(
    tmp_path: Path, calendar_cache: Path
) -> None:
    bars_file(tmp_path, "a.csv", "2016-03-11T14:30", "2016-03-11T20:57")

    data = from_path(manifest(tmp_path, "a.csv, AAPL, 1"), calendar_cache)

    assert starts(data, "AAPL") == minutes_from("2016-03-18T13:30Z", "2016-03-18T19:57Z")


def test_a_coin_is_moved_by_exactly_so_many_weeks(tmp_path: Path, calendar_cache: Path) -> None:
    bars_file(tmp_path, "c.csv", "2016-03-11T14:30")

    data = from_path(manifest(tmp_path, "c.csv, ETH/USD, 1"), calendar_cache)

    assert starts(data, "ETH/USD") == minutes_from("2016-03-18T14:30Z")
    assert [session.date for session in data.sessions.sessions] == ["2016-03-18"]


def test_one_symbol_may_come_from_several_files(tmp_path: Path, calendar_cache: Path) -> None:
    bars_file(tmp_path, "late.csv", "2016-04-18T13:30")
    bars_file(tmp_path, "early.csv", "2016-04-15T13:30")

    data = from_path(manifest(tmp_path, "late.csv, AAPL", "early.csv, AAPL"), calendar_cache)

    assert data.symbols == ("AAPL",)
    assert starts(data, "AAPL") == minutes_from("2016-04-15T13:30Z", "2016-04-18T13:30Z")


def test_nothing_but_the_time_of_a_bar_is_changed(tmp_path: Path, calendar_cache: Path) -> None:
    bars_file(tmp_path, "a.csv", "2016-04-18T13:30")

    data = from_path(manifest(tmp_path, "a.csv, AAPL, 52"), calendar_cache)

    start_at = ns("2017-04-17T13:30:00Z")
    assert data.bars[0] == Bar("AAPL", start_at, start_at + MINUTE, 10.0, 10.2, 9.9, 10.0, 100.0)


WHOLE, HALF = "09:30 to 16:00", "09:30 to 13:00"


def moved(weeks: int, days: str) -> str:
    return f"found AAPL moved by {weeks:+} weeks from {days}"


@pytest.mark.parametrize(
    ("start", "weeks", "fault"),
    [
        ("2016-03-18T13:30", 1, moved(1, "2016-03-18 to 2016-03-25, which is no session")),
        (
            "2016-11-18T14:30",
            1,
            moved(1, f"2016-11-18 ({WHOLE} in New York) to 2016-11-25 ({HALF})"),
        ),
        (
            "2016-11-25T14:30",
            -1,
            moved(-1, f"2016-11-25 ({HALF} in New York) to 2016-11-18 ({WHOLE})"),
        ),
        ("2016-04-15T13:29", 0, "found a bar of AAPL at 2016-04-15T13:29:00Z, outside of"),
        ("2016-04-15T19:58", 0, "found a bar of AAPL at 2016-04-15T20:00:00Z, outside of"),
        ("2016-11-25T17:58", 0, "found a bar of AAPL at 2016-11-25T18:00:00Z, outside of"),
    ],
    ids=["Good Friday", "to a half day", "from a half day", "too early", "too late", "half day"],
)
def test_a_share_that_would_not_be_in_whole_sessions_is_refused_in_one_line_i43_i50(
    tmp_path: Path, calendar_cache: Path, start: str, weeks: int, fault: str
) -> None:
    bars_file(tmp_path, "a.csv", start)
    path = manifest(tmp_path, f"a.csv, AAPL, {weeks}")

    assert refusal_of(path, calendar_cache).startswith(f"{path}, line 2: {fault}")


def test_a_bar_that_runs_over_the_close_is_refused(tmp_path: Path, calendar_cache: Path) -> None:
    bars_file(tmp_path, "a.csv", "2016-04-15T19:40")
    text = (tmp_path / "a.csv").read_text().replace("19:41", "19:49").replace("19:42", "19:58")
    (tmp_path / "a.csv").write_text(text)

    assert "found a bar of AAPL at 2016-04-15T19:58:00Z, outside of the sessions" in refusal_of(
        manifest(tmp_path, "a.csv, AAPL"), calendar_cache
    )


def test_two_files_with_bars_of_one_symbol_and_time_are_refused(
    tmp_path: Path, calendar_cache: Path
) -> None:
    bars_file(tmp_path, "a.csv", "2016-04-15T13:30")
    bars_file(tmp_path, "b.csv", "2016-04-08T13:32")
    path = manifest(tmp_path, "a.csv, AAPL", "b.csv, AAPL, 1")

    assert refusal_of(path, calendar_cache) == (
        f"{path}, line 4: found bars of AAPL at 2016-04-15T13:32:00Z in b.csv and in a file before "
        "it; wanted each time once; choose another shift_weeks"
    )


def test_bars_of_different_lengths_are_refused(tmp_path: Path, calendar_cache: Path) -> None:
    bars_file(tmp_path, "a.csv", "2016-04-15T13:30")
    text = (tmp_path / "a.csv").read_text()
    (tmp_path / "b.csv").write_text(text.replace("13:31", "13:35").replace("13:32", "13:40"))
    path = manifest(tmp_path, "a.csv, AAPL", "b.csv, SPY")

    assert refusal_of(path, calendar_cache) == (
        f"{path}, line 4: found bars of 5 minutes in b.csv and of 1 in a.csv; "
        "wanted one length; take files that agree"
    )


@pytest.mark.parametrize("weeks", [-9999, 9999])
def test_a_shift_out_of_all_calendars_is_refused(
    tmp_path: Path, calendar_cache: Path, weeks: int
) -> None:
    bars_file(tmp_path, "a.csv", "2101-04-15T13:30" if weeks > 0 else "1999-04-15T13:30")
    path = manifest(tmp_path, f"a.csv, BTC/USD, {weeks}")

    assert refusal_of(path, calendar_cache) == (
        f"{path}, line 2: found BTC/USD moved by {weeks:+} weeks before 1970 or after 2261; "
        "choose another shift_weeks"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1: nothing is in this file"),
        ("bars: []\n", "found 'bars' at the top; wanted a list of files under bars"),
        ("bars:\n  file: a\n", "wanted a list of files under bars"),
        ("files: []\n", "found 'files' at the top"),
        ("chains: []\n", "found 'chains' at the top; wanted a list of files under bars"),
        ("bars:\n  - {file: a.csv, symbol: A}\nchains:\n", "found 'bars, chains' at the top"),
        ("bars:\n  - {file: a.csv, symbol: A}\nchains:\n  - b.csv\n", "line 4: found 'no section'"),
        (
            "bars: [{file: a, symbol: A}]\nchains: [{file: b, symbol: A}, {file: c, symbol: A}]\n",
            "line 2: found options on A a second time; wanted one file for each share",
        ),
        ("bars:\n  - a.csv\n", "line 2: found 'no section'; wanted file, symbol"),
        ("bars:\n  - file: a.csv\n", "line 2: found 'file'; wanted file, symbol and"),
        ("bars:\n  - {file: a.csv, symbol: A, shift: 1}\n", "found 'file, symbol, shift'"),
        ("bars:\n  - {file: a.csv, symbol: a}\n", "found symbol 'a'; wanted a share such as AAPL"),
        ("bars:\n  - {file: a.csv, symbol: BTC/EUR}\n", "found symbol 'BTC/EUR'"),
        ("bars:\n  - {file: , symbol: A}\n", "found no file's name"),
        ("bars:\n  - {file: a.csv, symbol: A, shift_weeks: 1.5}\n", "found shift_weeks '1.5'"),
        ("bars:\n  - {file: a.csv, symbol: A, shift_weeks: 10000}\n", "-9999 to 9999"),
        ("bars:\n  - {file: a.csv, symbol: A, shift_weeks: }\n", "found shift_weeks 'None'"),
        ("bars:\n  - {file: a.csv, symbol: A}\n", "a.csv: found no such file"),
        ("bars:\n  - {file: a.csv, file: b.csv, symbol: A}\n", "line 2: file: is here twice"),
        ("bars:\n  - {file: a.csv, symbol: A}", "the last line has no end"),
        ("bars: [\n", "not YAML"),
    ],
)
def test_a_bad_manifest_is_refused_with_one_line_that_says_where_and_what(
    tmp_path: Path, text: str, fault: str
) -> None:
    path = tmp_path / "MANIFEST.yaml"
    path.write_text(text)

    assert fault in refusal_of(path, tmp_path)


def test_options_of_another_year_come_with_the_bars_and_it_is_said(
    tmp_path: Path, calendar_cache: Path
) -> None:
    bars_file(tmp_path, "a.csv", "2016-04-18T13:30")
    (tmp_path / "o.csv").write_text(
        "date,underlying,underlying_close,occ_symbol,expiration,right,strike,bid,ask,iv,delta,gamma\n"
        "2021-04-16,AAPL,100,AAPL210521C00102000,2021-05-21,C,102,5,6,0.2,0.4,0.01\n"
    )
    path = manifest(tmp_path, "a.csv, AAPL")
    with path.open("a") as file:
        file.write("chains:\n  - file: o.csv\n    symbol: AAPL\n    shift_weeks: -261\n")

    data = from_path(path, calendar_cache)

    assert data.origin == (
        "real bars of MANIFEST.yaml: AAPL; options on AAPL priced by Black and Scholes with "
        "contracts and volatilities of o.csv, SHIFTED by -261 weeks, strikes times 0.1"
    )
    (options,) = data.moved_options
    assert [each.symbol for each in options.contracts] == ["AAPL160520C00010200"]
    tape = open_tape(data, MarketTerms(), calendar_cache)
    assert [each.symbol for each in tape.contracts(ContractQuery(), data.begins_at)] == [
        "AAPL160520C00010200"
    ]


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "MANIFEST.yaml"

    assert refusal_of(path, tmp_path).startswith(f"{path}: no such file; it is needed")


def test_a_bars_file_is_a_market_by_itself(tmp_path: Path, calendar_cache: Path) -> None:
    bars_file(tmp_path, "AAPL.csv", "2016-04-15T13:30")

    assert from_path(tmp_path / "AAPL.csv", calendar_cache).origin == "real bars from AAPL.csv"


@pytest.mark.slow
def test_real_bars_of_2011_2016_and_2024_are_one_market_of_2016(
    tmp_path: Path, calendar_cache: Path
) -> None:
    for number, file in enumerate((AAPL, SPY, BTC)):
        (tmp_path / f"{number}.csv.gz").symlink_to(real_path(file))
    path = manifest(tmp_path, "0.csv.gz, AAPL", "1.csv.gz, SPY, 275", "2.csv.gz, BTC/USD, -403")

    data = from_path(path, calendar_cache)

    assert len(data.bars) == len(real(AAPL)) + len(real(SPY)) + len(real(BTC))
    spy = [each for each in data.bars if each.symbol == "SPY"]
    assert [each.close for each in spy] == [each.close for each in real(SPY)]
    assert all(data.sessions.at(each.start_at) is not None for each in spy)
    tape = open_tape(data, MarketTerms(), calendar_cache)
    ended = sum(isinstance(event, BarEnded) for event in tape.events(0))
    assert ended == len(data.bars)
