"""The data of a replay: bars of a window and no other, of any number of files of any kind."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.research import replay_data as module
from hydra.research.replay_data import DataFile, ReplayData, replay_data
from hydra.research.window import AskedWindow, BadReplayWindow, DataSpan, window_of
from hydra.trading.bars import Bar
from hydra.venues.bar_files import read_bars
from hydra.venues.bar_rows import BadData
from hydra.venues.market_sessions import round_the_clock_sessions
from hydra.venues.simulated.market_data import MarketData, from_path

MARKET_DATA = Path(__file__).resolve().parents[3] / "shared" / "market-data"
MINUTE = 60_000_000_000
NEW_YEAR = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC."""
ALL = window_of(start="2023-12-01", end="2024-12-01")


def time(minute: int) -> str:
    return f"{datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"


def coin_file(folder: Path, name: str, minutes: Sequence[int]) -> Path:
    """Bars that start so many minutes after the beginning of 2024."""
    rows = ["ts_utc,open,high,low,close,volume"]
    rows += [f"{time(minute)},10.0,10.5,9.5,10.2,300" for minute in minutes]
    path = folder / name
    path.write_text("\n".join([*rows, ""]))
    return path


def coin_database(folder: Path, name: str, series: dict[str, Sequence[int]]) -> Path:
    path = folder / name
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE candles (symbol, interval, t INTEGER, o, h, l, c, v)")
    rows = [
        (symbol, "1m", (NEW_YEAR + minute * MINUTE) // 1_000_000)
        for symbol, minutes in series.items()
        for minute in minutes
    ]
    with connection:
        connection.executemany(
            "INSERT INTO candles VALUES (?, ?, ?, 10.0, 10.5, 9.5, 10.2, 300)", rows
        )
    connection.close()
    return path


def bar(symbol: str, minute: int, minutes: int = 1) -> Bar:
    at = NEW_YEAR + minute * MINUTE
    return Bar(symbol, at, at + minutes * MINUTE, 10.0, 10.5, 9.5, 10.2, 300.0)


def file(path: Path) -> DataFile:
    return DataFile(
        name=path.name, digest=hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    )


def asked(start_minute: int, end_minute: int) -> AskedWindow:
    return window_of(start=time(start_minute), end=time(end_minute))


def test_files_and_databases_make_one_market_of_the_window_and_history_of_what_was_before(
    tmp_path: Path,
) -> None:
    btc = coin_file(tmp_path, "BTCUSDT_1m.csv", range(-4, 5))
    more = coin_database(tmp_path, "candles.db", {"ETHUSD": range(-2, 3), "SOL/USD": range(-9, -5)})
    window = asked(0, 3)

    data = replay_data([more, btc], window, history=2)

    kept = ("BTC/USD", "ETH/USD")
    assert data == ReplayData(
        window=window.over(data.span),
        market=MarketData(
            bars=tuple(bar(symbol, minute) for minute in (0, 1, 2) for symbol in kept),
            sessions=round_the_clock_sessions("2024-01-01", "2024-01-01"),
            symbols=kept,
            origin="real bars from candles.db; real bars from BTCUSDT_1m.csv, USDT counted as USD",
        ),
        history=tuple(bar(symbol, minute) for minute in (-2, -1) for symbol in kept),
        span=DataSpan(start=bar("SOL/USD", -9).start_at, end=bar("BTC/USD", 4).end_at),
        files=(file(more), file(btc)),
        bars_read=9 + 5 + 4,
        without_bars=("SOL/USD",),
    )
    assert data.bars_kept == 6


places = st.sets(st.integers(0, 40), min_size=30).map(sorted)
"""Of bars on a grid with holes, few enough that most steps are from one place to the next."""


@given(
    btc=places,
    eth=places,
    start=st.integers(-10, 220),
    length=st.integers(1, 120),
    count=st.integers(0, 12),
)
def test_the_market_has_the_bars_whole_in_the_window_and_history_the_newest_before_it(
    tmp_path_factory: pytest.TempPathFactory,
    btc: list[int],
    eth: list[int],
    start: int,
    length: int,
    count: int,
) -> None:
    folder = tmp_path_factory.mktemp("bars")
    # Bars of five minutes and a window of any minutes, so that bars may lie across its bounds.
    series = {
        symbol: [bar(symbol, 5 * place, 5) for place in own]
        for symbol, own in (("BTC/USD", btc), ("ETH/USD", eth))
    }
    paths = [
        coin_file(folder, "ETHUSD.csv", [5 * place for place in eth]),
        coin_file(folder, "BTCUSD.csv", [5 * place for place in btc]),
    ]
    begin, end = NEW_YEAR + start * MINUTE, NEW_YEAR + (start + length) * MINUTE

    found = outcome_of(paths, asked(start, start + length), count)

    inside = merged(
        [each for each in bars if begin <= each.start_at and each.end_at <= end]
        for bars in series.values()
    )
    before = merged(
        [each for each in bars if each.end_at <= begin][-count:] if count else []
        for bars in series.values()
        if any(each.symbol == bars[0].symbol for each in inside)
    )
    assert found == ((inside, before) if inside else None)


def outcome_of(
    paths: Sequence[Path], window: AskedWindow, count: int
) -> tuple[tuple[Bar, ...], tuple[Bar, ...]] | None:
    """Bars and history; None: there is no bar in the window."""
    try:
        data = replay_data(paths, window, history=count)
    except BadReplayWindow:
        return None
    return data.market.bars, data.history


def merged(series: Iterable[Sequence[Bar]]) -> tuple[Bar, ...]:
    return tuple(sorted(chain(*series), key=lambda each: (each.end_at, each.symbol)))


def test_symbols_are_chosen_by_name_with_or_without_the_slash(tmp_path: Path) -> None:
    paths = [
        coin_file(tmp_path, "BTCUSD.csv", range(3)),
        coin_file(tmp_path, "ETHUSD.csv", range(9)),
        coin_database(tmp_path, "candles.db", {"SOLUSD": range(3), "ADAUSD": range(3)}),
    ]

    data = replay_data(paths, ALL, symbols=["SOL/USD", "BTCUSD"])

    assert (data.market.symbols, data.bars_read) == (("BTC/USD", "SOL/USD"), 6)
    assert data.files == (file(paths[0]), file(paths[2]))
    assert data.span.end == bar("BTC/USD", 2).end_at
    assert data.market.origin == "real bars from BTCUSD.csv; real bars from candles.db"


def test_files_of_one_symbol_are_one_series_in_whatever_order_they_are_named(
    tmp_path: Path,
) -> None:
    paths = [
        coin_file(tmp_path, "BTCUSD_later.csv", [6, 7, 8]),
        coin_file(tmp_path, "BTCUSD_around.csv", [0, 1, 2, 9, 10]),
        coin_database(tmp_path, "middle.sqlite", {"BTCUSDT": [3, 4, 5]}),
    ]

    data = replay_data(paths, ALL)

    assert data.market.bars == tuple(bar("BTC/USD", minute) for minute in range(11))
    assert data.market.origin == (
        "real bars from BTCUSD_later.csv; real bars from BTCUSD_around.csv; "
        "real bars from middle.sqlite, USDT counted as USD"
    )


def test_a_manifest_is_read_with_all_its_files_and_its_shifts(tmp_path: Path) -> None:
    early = coin_file(tmp_path, "BTCUSD.csv", range(3))
    moved = coin_file(tmp_path, "ETHUSD.csv", range(-7 * 24 * 60, -7 * 24 * 60 + 3))
    manifest = tmp_path / "MANIFEST.yaml"
    manifest.write_text(
        "bars:\n"
        "  - file: ETHUSD.csv\n    symbol: ETH/USD\n    shift_weeks: 1\n"
        "  - file: BTCUSD.csv\n    symbol: BTC/USD\n"
    )

    data = replay_data([manifest], ALL)

    assert data.market.bars == merged(
        [bar(symbol, minute) for minute in range(3)] for symbol in ("BTC/USD", "ETH/USD")
    )
    assert data.files == (file(manifest), file(moved), file(early))
    assert data.market.origin == (
        "real bars of MANIFEST.yaml: ETH/USD SHIFTED by +1 weeks, BTC/USD"
    )


def test_a_duration_is_of_the_end_of_the_symbols_that_are_chosen(tmp_path: Path) -> None:
    paths = [
        coin_file(tmp_path, "BTCUSD.csv", range(3)),
        coin_file(tmp_path, "ETHUSD.csv", range(3 * 24 * 60)),
    ]

    data = replay_data(paths, window_of(window="P1D"), symbols=["BTC/USD"])

    assert (data.window.start_utc, data.bars_kept) == ("2024-01-01T00:00:00+00:00", 3)


def refusal_of(
    *paths: Path,
    window: AskedWindow = ALL,
    symbols: Sequence[str] = (),
    interval: str | None = None,
) -> str:
    with pytest.raises((BadData, BadReplayWindow)) as refused:
        replay_data(paths, window, symbols=symbols, interval=interval)
    assert str(refused.value).isprintable()
    return str(refused.value)


def test_what_does_not_make_one_market_is_refused(tmp_path: Path) -> None:
    minutes = coin_file(tmp_path, "BTCUSD_1m.csv", range(3))
    again = coin_file(tmp_path, "BTCUSD_2.csv", range(2, 5))
    fives = coin_file(tmp_path, "ETHUSD_5m.csv", range(0, 30, 5))
    nameless = coin_file(tmp_path, "bars.csv", range(3))
    pounds = coin_database(tmp_path, "pounds.db", {"BTC/GBP": range(3)})
    pipe = tmp_path / "BTCUSD.csv"
    os.mkfifo(pipe)

    wanted = "wanted a share such as AAPL or a pair such as BTC/USD; name the file AAPL_1m.csv, say"
    assert [
        refusal_of(minutes, again),
        refusal_of(minutes, fives),
        refusal_of(minutes, interval="5m"),
        refusal_of(minutes, interval="5"),
        refusal_of(nameless),
        refusal_of(pounds),
        refusal_of(minutes, symbols=["BTC/USD", "ETH/USD"]),
        refusal_of(),
        refusal_of(pipe),
        refusal_of(tmp_path / "none.yaml").partition(": ")[0],
    ] == [
        (
            f"{minutes}, {again}: found bars of BTC/USD at 2024-01-01T00:02:00Z more than once; "
            "wanted each time once; leave one of the files out"
        ),
        (
            f"{fives}: found bars of 5 minutes of ETH/USD; wanted one length, 1 minutes as of "
            f"BTC/USD in {minutes}; take files that agree"
        ),
        (
            f"{minutes}: found bars of 1 minutes of BTC/USD; wanted one length, 5m; "
            "take files that agree"
        ),
        "found interval '5'; wanted minutes (15m), hours (4h) or one day (1d); correct it",
        f"{nameless}: found symbol 'bars'; {wanted}, or correct what is in it",
        f"{pounds}: found symbol 'BTC/GBP'; {wanted}, or correct what is in it",
        (
            "found no bars of 'ETH/USD' in the data; wanted some of each symbol; "
            "add the file that has them, or leave the symbol out"
        ),
        "found no data; wanted one file of bars or more; add --data FILE",
        f"{pipe}: found no ordinary file; wanted a file of bars; name one",
        str(tmp_path / "none.yaml"),
    ]


def test_a_window_that_no_bar_lies_in_is_refused_with_the_span_of_the_data(
    tmp_path: Path,
) -> None:
    btc = coin_file(tmp_path, "BTCUSD.csv", [0, 1, 2, 30, 31])
    eth = coin_file(tmp_path, "ETHUSD.csv", range(3))
    hole, between = asked(5, 30), asked(25, 40)

    assert refusal_of(btc, eth, window=hole) == (
        "found no bar in the window from 2024-01-01T00:05:00+00:00 to 2024-01-01T00:30:00+00:00; "
        "wanted some; the data go from 2024-01-01T00:00:00+00:00 to 2024-01-01T00:32:00+00:00; "
        "--window P1D takes all of them, or choose a part of that"
    )
    assert refusal_of(btc, eth, window=between, symbols=["BTC/USD", "ETH/USD"]) == (
        "found no bar of ETH/USD in the window from 2024-01-01T00:25:00+00:00 to "
        "2024-01-01T00:40:00+00:00; wanted some; its bars go from 2024-01-01T00:00:00Z to "
        "2024-01-01T00:03:00Z; choose another window, or leave the symbol out"
    )
    assert replay_data([btc, eth], between).without_bars == ("ETH/USD",)


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = coin_file(tmp_path, "BTCUSD.csv", range(3))

    def read_and_changed(path: Path) -> tuple[Bar, ...]:
        bars = read_bars(path)
        coin_file(tmp_path, "BTCUSD.csv", range(4))
        return bars

    monkeypatch.setattr(module, "read_bars", read_and_changed)

    assert refusal_of(path) == (
        f"{path}: found that it changed while it was read; wanted files at rest; "
        "wait for whoever writes, or take a copy"
    )


@pytest.mark.slow
def test_a_real_file_over_all_of_its_span_is_the_market_of_a_run(tmp_path: Path) -> None:
    path = MARKET_DATA / "equity_1m" / "AAPL_1m_2016-04-15_2016-05-04.csv.gz"
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/market-data")

    whole = replay_data([path], window_of(window="P20D"), cache_dir=tmp_path)
    part = replay_data(
        [path],
        window_of(start="2016-04-20", end="2016-04-22", tz="America/New_York"),
        history=390,
        cache_dir=tmp_path,
    )

    assert whole.market == from_path(path, tmp_path)
    assert part.bars_kept == 2 * 390
    assert [session.date for session in part.market.sessions.sessions] == [
        "2016-04-20",
        "2016-04-21",
    ]
    assert part.history == whole.market.bars[2 * 390 : 3 * 390]
    assert part.market.bars == whole.market.bars[3 * 390 : 5 * 390]


def test_files_of_one_name_are_each_named_by_their_content(tmp_path: Path) -> None:
    folders = [tmp_path / year for year in ("one", "other", "third")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        coin_file(folder, "BTCUSD_1m.csv", range(10 * number, 10 * number + 5 + number))

    found = replay_data([folder / "BTCUSD_1m.csv" for folder in folders], ALL)

    names = ["BTCUSD_1m.csv", "BTCUSD_1m.csv (2)", "BTCUSD_1m.csv (3)"]
    files = [file(folder / "BTCUSD_1m.csv").digest for folder in folders]
    assert found.digests == dict(zip(names, files, strict=True))
    assert len(set(files)) == 3


def test_a_file_that_a_manifest_names_twice_is_one_file(tmp_path: Path) -> None:
    coin_file(tmp_path, "BTCUSD_1m.csv", range(5))
    manifest = tmp_path / "both.yaml"
    entry = "  - {file: BTCUSD_1m.csv, symbol: BTC/USD"
    manifest.write_text(f"bars:\n{entry}}}\n{entry}, shift_weeks: 1}}\n")

    found = replay_data([manifest], ALL)

    assert list(found.digests) == ["both.yaml", "BTCUSD_1m.csv"]
    assert found.bars_kept == 10
