"""`hydra-trader replay`: what it leaves and says, and what it refuses before anything is made."""

import csv
import errno
import io
import json
import re
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pyarrow.csv as csv_files
import pyarrow.parquet as parquet_files
import pytest
from msgspec import structs
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.bench.replayed_bars import walk
from hydra.ops.exit_codes import ExitCode
from hydra.research import replay_command
from tests.ops.sessions import HOME
from tests.research.bar_files import written

STOP = "momentum_bots[mom_AAPL].exits.stop_loss_pct"
Run: TypeAlias = Callable[..., tuple[int, str, str]]

FILES = {
    "account.csv",
    "equity_curve.csv",
    "guard_regret.csv",
    "halt.marker",
    "logs/app.jsonl",
    "logs/run.log",
    "metrics.json",
    "orders.csv",
    "positions.csv",
    "provenance.json",
    "session.md",
    "state.json",
    "state.jsonl",
    "trades.csv",
    "trading_state.db",
}


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of a walk, in a file: of Monday and Tuesday, 2015-01-05 and 06."""
    return written(tmp_path_factory.mktemp("bars") / "AAPL_1m.csv", walk(("AAPL",), 2, seed=5).bars)


@pytest.fixture
def run(bars: Path, tmp_path: Path) -> Run:
    def replay(*words: str, data: Path = bars) -> tuple[int, str, str]:
        where = ("--output-dir", str(tmp_path / "replays"), "--config", str(HOME / "config"))
        done = CliRunner().invoke(app, ["replay", "--data", str(data), *where, *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return replay


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_it_leaves_everything_there_is_to_know_and_the_same_words_leave_the_same_bytes(
    run: Run, tmp_path: Path
) -> None:
    words = ("--window", "P2D", "--seed", "7", "--label", "drill", "--no-tear-sheet")
    code, out, _ = run(*words)
    folder = tmp_path / "replays" / "0007-drill"
    first = files_in(folder)
    shutil.move(folder, tmp_path / "first")
    run(*words)

    assert code == ExitCode.CLEAN
    assert out.splitlines()[0] == "REPLAY: not real money, not real fills"
    assert set(first) == FILES
    assert files_in(folder) == first
    metrics = json.loads(first["metrics.json"])
    assert (metrics["window"], metrics["timezone_label"]) == (
        {"start_utc": "2015-01-05T00:00:00+00:00", "end_utc": "2015-01-07T00:00:00+00:00"},
        "UTC",
    )
    assert metrics["bars"] == 780
    assert metrics["trades"] == len(first["trades.csv"].splitlines()) - 1 > 0


def test_verify_finds_its_ledger_and_journal_well_and_why_explains_its_orders(
    run: Run, tmp_path: Path
) -> None:
    run("--window", "P2D", "--no-tear-sheet")
    folder = tmp_path / "replays" / "0000-replay"
    where = ["--state-dir", str(folder), "--log-dir", str(folder / "logs")]

    verified = CliRunner().invoke(app, ["verify", "--decisions", *where])
    order = next(csv.DictReader((folder / "orders.csv").read_text().splitlines()))
    why = CliRunner().invoke(app, ["why", order["client_order_id"], *where])

    assert (verified.exit_code, verified.stdout.splitlines()[-1]) == (0, "all is well")
    assert why.exit_code == 0
    assert "APPROVED" in why.stdout.upper()


def test_a_strategy_by_itself_is_played_on_every_share_with_its_parameters(run: Run) -> None:
    words = ("--window", "P2D", "--no-tear-sheet", "--strategy", "moving_average_cross")
    code, out, _ = run(*words, "--param", "fast_bars=5", "--param", "slow_bars=20")

    assert code == ExitCode.CLEAN
    assert "bots: replay_AAPL" in out
    assert "moving_average_cross" in out


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_coin_of_a_thousandth_of_a_cent_is_traded(run: Run, tmp_path: Path, ending: str) -> None:
    """On the steps of shares it had no price to be bought or given up at."""
    dear = walk(("BTC/USD",), 1, seed=5).bars
    share = 0.00001234 / dear[0].open
    cheap = [
        structs.replace(
            bar,
            symbol="SHIB/USD",
            open=bar.open * share,
            high=bar.high * share,
            low=bar.low * share,
            close=bar.close * share,
        )
        for bar in dear
    ]
    data = written(tmp_path / "SHIBUSD_1m.csv", cheap)
    if ending == "parquet":
        table = csv_files.read_csv(data)
        data = data.with_suffix(".parquet")
        parquet_files.write_table(table, data)
    words = ("--window", "P2D", "--no-tear-sheet", "--json", "--bot", "crypto_core")
    pair = ("--set", "cryptobot.pairs=[SHIB/USD]", "--set", "guards.order.max_quantity=100000000")

    code, out, _ = run(*words, *pair, data=data)

    told = json.loads(out)
    assert code == ExitCode.CLEAN
    assert told["trades"] > 0
    rows = csv.DictReader((tmp_path / "replays/0000-replay/trades.csv").read_text().splitlines())
    assert all(0.00001 < float(row["exit_price"]) < 0.00002 for row in rows)


def test_slippage_makes_the_same_trades_worse(run: Run) -> None:
    made = []
    for bps in ("0", "10"):
        words = ("--window", "P2D", "--no-tear-sheet", "--bot", "mom_AAPL", "--json")
        _, out, _ = run(*words, "--slippage-bps", bps, "--label", f"at-{bps}")
        made.append(json.loads(out))

    assert made[0]["trades"] > 0
    assert float(made[1]["pnl"]) < float(made[0]["pnl"])
    assert made[1]["terms"]["slippage"].startswith("10 bps")


def test_a_list_of_slippages_is_a_table_of_what_is_left_and_leaves_no_files(
    run: Run, tmp_path: Path
) -> None:
    words = ("--window", "P2D", "--bot", "mom_AAPL", "--slippage-bps", "0,5,20")
    code, out, _ = run(*words)
    told = json.loads(run(*words, "--json")[1])

    assert code == ExitCode.CLEAN
    assert [line.split()[:2] for line in out.splitlines() if " bps " in line and "USD" not in line][
        -3:
    ] == [["0", "bps"], ["5", "bps"], ["20", "bps"]]
    made = [float(row["pnl"]) for row in told["rows"]]
    assert made == sorted(made, reverse=True)
    assert len(set(made)) == 3
    assert not (tmp_path / "replays").exists()


def test_a_value_that_is_set_counts_in_place_of_the_configured_one(run: Run) -> None:
    words = ("--window", "P2D", "--bot", "mom_AAPL", "--no-tear-sheet", "--json")
    as_it_is = json.loads(run(*words)[1])
    set_as_it_is = json.loads(run(*words, "--set", f"{STOP}=0.50", "--label", "same")[1])
    tighter = json.loads(run(*words, "--set", f"{STOP}=0.10", "--label", "tighter")[1])

    assert set_as_it_is["configuration_digest"] == as_it_is["configuration_digest"]
    assert tighter["configuration_digest"] != as_it_is["configuration_digest"]
    assert tighter["pnl"] != as_it_is["pnl"] == set_as_it_is["pnl"]


@pytest.mark.slow
def test_several_values_are_as_many_runs_over_the_cores(run: Run, tmp_path: Path) -> None:
    words = ("--window", "P2D", "--bot", "mom_AAPL", "--set", f"{STOP}=0.1,0.5")
    code, out, _ = run(*words, "--sort", "-final_equity")
    told = json.loads((tmp_path / "replays" / "0000-replay" / "runs.json").read_text())

    assert code == ExitCode.CLEAN
    assert [run["set"] for run in told["runs"]] == [{STOP: "0.1"}, {STOP: "0.5"}]
    assert "2 configurations were tried on one stretch of data" in out


@pytest.mark.parametrize("room", [0, 60_000, 120_000])
def test_a_disk_that_gets_full_ends_it_with_one_line_and_no_files(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Wherever it gets full: no file is longer than that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python begins with
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        code, _, err = run("--window", "P2D", "--no-tear-sheet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    folder = tmp_path / "replays" / "0000-replay"
    (line,) = err.splitlines()
    assert code == ExitCode.DURABILITY_REFUSED
    assert line.startswith(f"{folder}: the files of the replay cannot be written (")
    assert line.endswith(
        "so none are left; wanted room for about 2 MiB; make room, or name another --output-dir"
    )
    assert not folder.exists()


def test_runs_whose_folder_cannot_be_made_are_refused_before_they_are_played(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "replays").write_text("a file is in the way")
    code, out, err = run("--window", "P2D", "--bot", "mom_AAPL", "--set", f"{STOP}=0.1,0.5")

    assert code == ExitCode.DURABILITY_REFUSED
    assert err.splitlines() == [f"{tmp_path / 'replays' / '0000-replay'}: Not a directory"]
    assert "DRAWDOWN" not in out


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_runs_that_cannot_be_written_are_shown_all_the_same(
    words: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "runs.csv")

    monkeypatch.setattr("hydra.research.run_table.replace", no_room)
    asked = ("--window", "P2D", "--bot", "mom_AAPL", "--set", f"{STOP}=0.1,0.5")
    code, out, err = run(*asked, *words)

    assert code == ExitCode.DURABILITY_REFUSED
    assert err.splitlines()[-1] == "runs.csv: No space left on device"
    if words:
        assert json.loads(out)["tried"] == 2
    else:
        assert "DRAWDOWN" in out
        assert "all of it" not in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "requires either --window or --start and --end"),
        (("--window", "P2D", "--start", "2015-01-05"), "found --window with --start"),
        (("--start", "2015-01-06", "--end", "2015-01-05"), "which runs backwards"),
        (("--start", "2020-01-06", "--end", "2020-01-07"), "found no bar in the window"),
        (("--window", "P2D", "--tz", "Mars"), "Mars"),
        (("--window", "P2D", "--symbol", "MSFT"), "found no bars of 'MSFT'"),
        (("--window", "P2D", "--bot", "mom_TSLA"), "which is not enabled"),
        (("--window", "P2D", "--bot", "nobody"), "which is no bot"),
        (("--window", "P2D", "--strategy", "nope"), "no such strategy"),
        (("--window", "P2D", "--param", "a=1"), "found --param without --strategy"),
        (
            ("--window", "P2D", "--strategy", "moving_average_cross", "--bot", "mom_AAPL"),
            "found --strategy with --bot",
        ),
        (
            ("--window", "P2D", "--strategy", "moving_average_cross", "--param", "fast_bars"),
            "wanted NAME=VALUE",
        ),
        (("--window", "P2D", "--slippage-bps", "much"), "found --slippage-bps 'much'"),
        (("--window", "P2D", "--slippage-bps", "-1"), "found --slippage-bps '-1'"),
        (("--window", "P2D", "--fees", "NaN"), "--fees: found 'NaN'"),
        (
            ("--window", "P2D", "--fees", "100000"),
            "--fees: found '100000'; wanted at least 0 and under 10000 basis points; correct it",
        ),
        (("--window", "P2D", "--fees", "-1"), "--fees: found '-1'; wanted at least 0"),
        (
            ("--window", "P2D", "--cash", "0"),
            "--cash: found '0'; wanted from 0.01 to 1000000000000 USD; correct it",
        ),
        (("--window", "P2D", "--cash", "-5"), "--cash: found '-5'; wanted from 0.01"),
        (("--window", "P2D", "--cash", "0.009"), "--cash: found '0.009'; wanted from 0.01"),
        (("--window", "P2D", "--cash", "1e30"), "--cash: found '1e30'; wanted from 0.01"),
        (("--window", "P2D", "--label", "../x"), "as it names a folder"),
        (("--window", "P2D", "--set", "risk.max_order=5"), "risk.max_order"),
        (("--window", "P2D", "--sort", "luck"), "found --sort luck"),
        (
            ("--window", "P2D", "--slippage-bps", "0,5", "--set", f"{STOP}=0.3,0.5"),
            "found --set with several values and several --slippage-bps",
        ),
    ],
)
def test_what_is_not_fit_is_refused_in_one_line_before_anything_is_made(
    words: tuple[str, ...], says: str, run: Run, tmp_path: Path
) -> None:
    code, out, err = run(*words)

    assert (code, out) == (ExitCode.USAGE, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "replays").exists()


def test_a_market_that_no_bot_trades_is_refused_with_what_they_do_trade(
    run: Run, bars: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copy(bars, tmp_path / "ZZZ_1m.csv"))
    code, _, err = run("--window", "P2D", data=other)

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "found bars of ZZZ; wanted some of what the enabled bots trade: AAPL" in err


def test_a_bot_that_cannot_be_played_is_told_with_the_reason(run: Run) -> None:
    words = ("--window", "P2D", "--no-tear-sheet")
    all_of_them, one = run(*words)[1], run(*words, "--bot", "mom_AAPL", "--label", "one")[1]

    assert [line for line in all_of_them.splitlines() if line.startswith("left out")] == [
        "left out: opt_core, as options are not traded in a replay",
        "left out: crypto_core, as the data have nothing that it trades",
    ]
    assert "left out" not in one
    assert "signals" not in all_of_them


def test_that_a_replay_reads_no_signals_is_told_where_a_bot_waits_for_some(run: Run) -> None:
    bridge = ("--set", "signalbot.enabled=true", "--set", "signalbot.symbols=[AAPL]")

    out = run("--window", "P2D", "--no-tear-sheet", *bridge)[1]

    assert (
        "signal_bot enters nothing: a replay reads no signals; `run --clock virtual` plays a file"
        " of them\n"
    ) in out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), "AAPL, BTC/USD, ETH/USD (options are not traded in a replay)"),
        (("--bot", "opt_core"), "nothing, as options are not traded in a replay"),
        (("--bot", "mom_AAPL"), "AAPL"),
    ],
)
def test_an_underlying_of_options_alone_is_not_named_as_what_bots_trade(
    words: tuple[str, ...], wanted: str, run: Run, bars: Path, tmp_path: Path
) -> None:
    underlying = Path(shutil.copy(bars, tmp_path / "SPY_1m.csv"))

    code, _, err = run("--window", "P2D", *words, data=underlying)

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert err.startswith(
        f"found bars of SPY; wanted some of what the enabled bots trade: {wanted};"
    )


def test_bars_that_no_bot_can_trade_in_are_told_as_they_are_outside_of_all_sessions(
    run: Run, bars: Path, tmp_path: Path
) -> None:
    header = bars.read_text().splitlines()[0]
    days = [f"2015-01-{day:02}T00:00:00Z,100,101,99,100,1000" for day in (5, 6, 7, 8, 9)]
    daily = tmp_path / "AAPL_1d.csv"
    daily.write_text("\n".join([header, *days, ""]))
    words = ("--window", "P5D", "--no-tear-sheet")

    told, of_days = (run(*words, "--label", data.stem, data=data) for data in (bars, daily))

    assert "sessions" not in told[1]
    assert (
        "outside of the exchange's sessions: 5 of 5 bars of shares; no bot trades there"
        in of_days[1].splitlines()
    )


def test_files_of_an_earlier_replay_are_never_written_over(run: Run, tmp_path: Path) -> None:
    words = ("--window", "P2D", "--no-tear-sheet")
    run(*words)
    before = files_in(tmp_path / "replays")
    code, _, err = run(*words)

    assert code == ExitCode.USAGE
    assert "wanted a new folder; give another --label" in err
    assert files_in(tmp_path / "replays") == before


def test_dates_of_the_environment_count_only_where_that_is_allowed_and_are_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_REPLAY_START", "2015-01-05")
    monkeypatch.setenv("HYDRA_REPLAY_END", "2015-01-06")

    refused, _, _ = run("--no-tear-sheet")
    code, out, _ = run("--no-tear-sheet", "--allow-env-dates")

    assert (refused, code) == (ExitCode.USAGE, ExitCode.CLEAN)
    assert "that of HYDRA_REPLAY_START and HYDRA_REPLAY_END in the environment" in out
    assert "390 of 780 bars" in out


class Terminal(io.StringIO):
    """What a person sees."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("at_once", [1, 3, 7, 600])
def test_how_far_it_is_goes_on_however_many_bars_come_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)

    with replay_command._progress(6_000) as seen:
        for done in range(at_once, 6_001, at_once):
            seen(done)

    shown = [int(number) for number in re.findall(r"(\d+)/6000", terminal.getvalue())]
    assert max(shown) > 6_000 - replay_command.TOLD_EVERY
