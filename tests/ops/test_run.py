"""`python -m hydra.main` as its user meets it: what it prints, how it ends, what it leaves."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_lock import EngineLock
from hydra.store.journal import read_journal
from hydra.store.ledger import Ledger
from hydra.trading.option_symbols import parsed
from hydra.trading.orders import Role
from tests.ops.sessions import HOME, without_resting_stops
from tests.waiting import eventually

PROJECT = Path(__file__).resolve().parents[2]
MARKET_DATA = PROJECT.parent / "shared" / "market-data" / "equity_1m"
AAPL = MARKET_DATA / "AAPL_1m_2016-04-15_2016-05-04.csv.gz"

GOOD = """ts_utc,open,high,low,close,volume
2016-04-15T13:30:00Z,112.11,112.11,112.0,112.08,2431708
2016-04-15T13:31:00Z,112.1,112.3,112.07,112.25,148082
2016-04-15T13:32:00Z,112.2,112.3,112.1,112.2,100000
"""


KEYS = {
    "ALPACA_KEY": "PKABCDEFGHIJKLMNOPQR",
    "ALPACA_SECRET": "a-secret-of-this-test-alone",
    "LIVE_DISABLE_NETWORK": "0",
}

BROKERS_OWN_WAY = "found --clock virtual with venue {venue}; the broker's market goes its own way"


def run(folder: Path, *arguments: str) -> int:
    return main(["--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs", *arguments])


def fills_of(folder: Path) -> list[tuple[str, str, str, int]]:
    ledger = Ledger.open(folder / "state" / "trading_state.db", venue="embedded", at=0)
    try:
        return [(f.side.value, str(f.quantity), str(f.price), f.at) for f in ledger.fills()]
    finally:
        ledger.close()


def written(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(gzip.compress(text.encode()))


def cut_short(path: Path) -> None:
    path.write_bytes(gzip.compress(GOOD.encode() * 50)[:40])


BAD_DATA: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "only a header": written(GOOD.splitlines(keepends=True)[0]),
    "truncated": cut_short,
    "a line cut short": written(GOOD[:-20]),
    "unsorted": written("\n".join([*GOOD.splitlines()[:2], *reversed(GOOD.splitlines()[2:])])),
    "not a number": written(GOOD.replace("112.25", "nan")),
    "a wrong column": written(GOOD.replace("close", "klose")),
    "not gzip": lambda path: path.write_text(GOOD),
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("how", BAD_DATA)
def test_bad_data_gives_one_clear_line_and_leaves_nothing_behind(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "AAPL_bad.csv.gz"
    BAD_DATA[how](file)

    code = run(tmp_path, "--data", str(file), "--clock", "virtual")

    out, err = capfd.readouterr()
    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith(f"{file}") and err.count("\n") == 1
    assert "wanted" in err
    assert not (tmp_path / "state").exists()


def test_data_that_no_bot_trades_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "XYZ_1m.csv.gz"
    written(GOOD)(file)

    code = run(tmp_path, "--data", str(file), "--clock", "virtual")

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "found XYZ; wanted one of AAPL" in capfd.readouterr().err


def test_a_mistake_in_the_configuration_is_named_with_file_line_and_key_i78(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = edited_config(tmp_path, "bots.yaml", ("stop_loss_pct: 0.50", "stop_los_pct: 0.50"))

    code = run(tmp_path, "--config", str(config), "--clock", "virtual")

    err = capfd.readouterr().err
    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "bots.yaml:" in err and "did you mean stop_loss_pct?" in err


def test_a_second_engine_on_the_same_folder_is_refused_i57(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = EngineLock(tmp_path / "state" / "engine.lock")
    try:
        code = run(tmp_path, "--clock", "virtual")
    finally:
        lock.release()

    assert code == ExitCode.HELD_BY_ANOTHER
    assert f"process {os.getpid()}" in capfd.readouterr().err


def test_a_folder_that_others_can_read_is_refused_i84(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    (tmp_path / "state" / "something").touch()

    assert run(tmp_path, "--clock", "virtual") == ExitCode.DURABILITY_REFUSED


def test_a_journal_that_another_engine_writes_is_left_alone_i57(tmp_path: Path) -> None:
    lock = EngineLock(tmp_path / "logs" / "journal.lock")
    try:
        code = main(
            ["--state-dir", f"{tmp_path}/other", "--log-dir", f"{tmp_path}/logs",
             "--clock", "virtual"]
        )  # fmt: skip
    finally:
        lock.release()

    assert code == ExitCode.HELD_BY_ANOTHER


def edited_config(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    config = folder / "config"
    shutil.copytree(PROJECT / "config", config)
    text = (config / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (config / name).write_text(text)
    return config


def test_two_files_of_one_name_are_refused_i78(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = edited_config(
        tmp_path, "settings.yaml", ("./state/trading_state.db", "./state/engine.lock")
    )

    code = run(tmp_path, "--config", str(config), "--clock", "virtual")

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "found two files named engine.lock" in capfd.readouterr().err


def test_no_enabled_bot_is_refused_i78(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = edited_config(tmp_path, "bots.yaml", ("enabled: true", "enabled: false"))

    code = run(tmp_path, "--config", str(config), "--clock", "virtual")

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "found no enabled bot" in capfd.readouterr().err


def test_a_folder_that_cannot_be_made_gives_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").touch()

    code = run(tmp_path, "--clock", "virtual")

    err = capfd.readouterr().err
    assert code == ExitCode.DURABILITY_REFUSED
    assert err.count("\n") == 1 and "wanted folders of our own" in err


@pytest.mark.slow
def test_that_nobody_reads_what_it_says_does_not_disturb_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "hydra.main", "--speed", "20000",
         "--state-dir", f"{tmp_path}/state", "--log-dir", f"{tmp_path}/logs"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(timeout=30) == ExitCode.CLEAN
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    events = [record["event"] for record in read_journal(tmp_path / "logs" / "app.jsonl")]
    assert "feed_ended" in events


@pytest.mark.parametrize(
    ("venue", "environment", "code", "words"),
    [
        ("paper", {}, ExitCode.PAPER_LIVE_MISMATCH, "ALPACA_PAPER is not set, wanted true"),
        ("paper", {"ALPACA_PAPER": "true"}, ExitCode.CONFIGURATION_REFUSED, "ALPACA_KEY is not"),
        ("paper", {"ALPACA_PAPER": "true", **KEYS}, ExitCode.USAGE, BROKERS_OWN_WAY),
        ("live", {"ALPACA_PAPER": "true", **KEYS}, ExitCode.PAPER_LIVE_MISMATCH, "HYDRA_LIVE"),
        (
            "live",
            {"ALPACA_PAPER": "false", "HYDRA_LIVE": "yes-real-money", **KEYS},
            ExitCode.USAGE,
            BROKERS_OWN_WAY,
        ),
    ],
)
def test_paper_and_live_need_their_keys_and_are_not_mixed_up_i82(
    venue: str,
    environment: dict[str, str],
    code: ExitCode,
    words: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = tmp_path / "config"
    shutil.copytree(PROJECT / "config", config)
    settings = (config / "settings.yaml").read_text()
    (config / "settings.yaml").write_text(settings.replace("resume: preflight", "resume: operator"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = run(tmp_path, "--venue", venue, "--config", str(config), "--clock", "virtual")

    assert found == code
    assert words.format(venue=venue) in capfd.readouterr().err


def test_a_wrong_option_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, "--speed", "-1")

    assert ended.value.code == ExitCode.USAGE


def test_a_generated_session_says_that_it_is_generated(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = run(tmp_path, "--clock", "virtual")

    out = capfd.readouterr().out
    assert code == ExitCode.CLEAN
    assert "not real money" in out
    assert "GENERATED prices (seed 0), not a real market" in out
    assert "1410 bars, " in out  # of a share and of two coins, which trade longer


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "--clock", "virtual", "--dry-run") == ExitCode.CLEAN

    withheld = [
        record["content"]
        for record in read_journal(tmp_path / "logs" / "app.jsonl")
        if record["event"] == "report_stored"
    ]
    assert withheld
    assert all("dry run" in content["reason"] for content in withheld)  # type: ignore[index]
    assert fills_of(tmp_path) == []


@pytest.mark.slow
def test_the_record_of_the_session_before_is_set_aside(tmp_path: Path) -> None:
    run(tmp_path, "--clock", "virtual")
    first = fills_of(tmp_path)

    run(tmp_path, "--clock", "virtual", "--seed", "3")

    assert first != fills_of(tmp_path)
    ended = tmp_path / "state" / "ended" / "000001"
    assert sorted(path.name for path in ended.iterdir()) == [
        "app.jsonl",
        "halt.marker",
        "requests.jsonl",
        "trading_state.db",
    ]


def in_time(
    folder: Path, capfd: pytest.CaptureFixture[str], attempts: int, *arguments: str
) -> Path:
    """The folder of a run on threads in which the engine was through with each moment in time.

    A machine that stands still for longer than the venue waits trades late, and says so; what is
    claimed of threads is claimed of runs without that. So such a run is made again.
    """
    for attempt in range(attempts):
        assert run(folder / f"threads {attempt}", *arguments) == ExitCode.CLEAN
        if "TOO SLOW" not in capfd.readouterr().out:
            return folder / f"threads {attempt}"
    pytest.fail(f"{attempts} runs, and in each of them the market went on without the engine")


def first_entries_of(folder: Path) -> dict[tuple[str, str], tuple[str, str, int]]:
    """By bot and session: side, quantity and time of the first entry that was executed."""
    found: dict[tuple[str, str], tuple[str, str, int]] = {}
    ledger = Ledger.open(folder / "state" / "trading_state.db", venue="embedded", at=0)
    try:
        decisions = {
            order.state.order.client_order_id: order.intent.decision for order in ledger.orders()
        }
        for fill in ledger.fills():
            decision = decisions[fill.client_order_id]
            # Chains of options come over the wire alone: virtual time leaves their bot out.
            if decision.role is Role.ENTRY and parsed(decision.symbol) is None:
                entry = (fill.side.value, str(fill.quantity), fill.at)
                found.setdefault((decision.bot, decision.session), entry)
    finally:
        ledger.close()
    return found


def require_same_first_entries(served: Path, virtual: Path) -> None:
    """Each bot's first entry of a session is the same, at the same moment.

    In virtual time an order gets the open of a bar. Over sockets it gets the quote of its moment.
    What follows from that price (a stop, a take profit, when the bot is flat again) may come at
    another bar.
    """
    assert first_entries_of(served) == first_entries_of(virtual) != {}


@pytest.mark.slow
def test_the_served_venue_begins_as_virtual_time_does_but_for_the_way_of_an_order(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    served = in_time(tmp_path, capfd, 3, "--speed", "2400")
    assert run(tmp_path / "virtual", "--clock", "virtual") == ExitCode.CLEAN

    require_same_first_entries(served, tmp_path / "virtual")


@pytest.mark.slow
@pytest.mark.skipif(not AAPL.exists(), reason=f"needs {AAPL.name} in ../shared/market-data")
def test_real_bars_give_the_same_journal_whatever_the_hash_seed(tmp_path: Path) -> None:
    journals = []
    for hash_seed in ("0", "1"):
        folder = tmp_path / hash_seed
        subprocess.run(
            [sys.executable, "-m", "hydra.main", "--data", str(AAPL), "--clock", "virtual",
             "--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=PROJECT,
            check=True,
            capture_output=True,
            timeout=50,
        )  # fmt: skip
        journals.append((folder / "logs" / "app.jsonl").read_bytes())

    assert journals[0] == journals[1]
    # Of 52 trades; each fill is told by the ledger and by the venue.
    assert journals[0].count(b'"OrderFilled"') == 52 * 2 * 2


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.skipif(not AAPL.exists(), reason=f"needs {AAPL.name} in ../shared/market-data")
def test_three_weeks_on_the_served_venue_begin_each_day_as_in_virtual_time(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # A stop of one bot that rests keeps the other from entering: which of the two is first to
    # enter depends on when its stop is there.
    config = without_resting_stops(shutil.copytree(HOME / "config", tmp_path / "config"))
    these = ("--data", str(AAPL), "--config", str(config))

    served = in_time(tmp_path, capfd, 2, *these, "--speed", "6000")
    assert run(tmp_path / "virtual", *these, "--clock", "virtual") == ExitCode.CLEAN

    require_same_first_entries(served, tmp_path / "virtual")


@pytest.mark.parametrize(
    "clock",
    [
        ("--clock", "virtual"),
        # The same from outside, on the served venue: each run is two processes.
        pytest.param(("--speed", "600"), marks=pytest.mark.slow),
    ],
    ids=lambda clock: clock[0],
)
@pytest.mark.parametrize("source", ["environment", "state file", "named file"])
@pytest.mark.parametrize(
    ("word", "state"),
    [pytest.param("close_only", "CLOSE_ONLY", marks=pytest.mark.slow), ("of", "HALTED")],
)
def test_a_kill_switch_lets_nothing_be_entered_and_says_which_and_how_to_take_it_back_i07(
    clock: tuple[str, str],
    source: str,
    word: str,
    state: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {"state file": tmp_path / "state" / "kill_switch", "named file": tmp_path / "kill"}
    (tmp_path / "state").mkdir(mode=0o700)
    if source == "environment":
        monkeypatch.setenv("HYDRA_KILL_SWITCH", word)
    else:
        files[source].write_text(f"{word}\n")
    monkeypatch.setenv("HYDRA_KILL_SWITCH_FILE", str(files["named file"]))

    speed = ("--speed", "60000") if "--speed" in clock else ()
    code = run(tmp_path, *clock, *speed)

    # Where positions may be closed the session is played: somebody may hold one.
    is_played = state == "CLOSE_ONLY"
    out = capfd.readouterr().out
    assert code == (ExitCode.CLEAN if is_played else ExitCode.PREFLIGHT_FAILED)
    place = files.get(source, "HYDRA_KILL_SWITCH")
    assert f"KILL SWITCH: trading is {state}: {place} " in out
    assert "to take it back, " in out
    assert fills_of(tmp_path) == []
    told = list(read_journal(tmp_path / "logs" / "app.jsonl"))
    (kill,) = [record for record in told if record["event"] == "kill_switch"]
    assert (kill["code"], kill["state"]) == (f"kill_switch:{source.replace(' ', '_')}", state)
    assert ("order_approved" in [record["event"] for record in told]) is False
    if not is_played:
        assert "order_intended" not in [record["event"] for record in told]


@pytest.mark.slow
def test_a_kill_file_outlives_its_removal_until_an_operator_resumes_i04(tmp_path: Path) -> None:
    where = ["--state-dir", str(tmp_path / "state"), "--log-dir", str(tmp_path / "logs")]
    kill_file = tmp_path / "state" / "kill_switch"
    run(tmp_path, "--clock", "virtual")
    kill_file.write_text("halt_all")

    codes = [run(tmp_path, "--clock", "virtual")]
    kill_file.unlink()
    codes.append(run(tmp_path, "--clock", "virtual"))
    word = ["resume", *where, "--config", str(PROJECT / "config"), "--reason", "it was a drill"]
    assert CliRunner().invoke(app, word).exit_code == 0
    codes.append(run(tmp_path, "--clock", "virtual"))

    assert codes == [ExitCode.PREFLIGHT_FAILED, ExitCode.PREFLIGHT_FAILED, ExitCode.CLEAN]
    assert fills_of(tmp_path) != []


def test_a_kill_file_halts_a_session_that_trades_and_its_removal_does_not_i04_i07(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "hydra.main", "--speed", "600",
         "--state-dir", f"{tmp_path}/state", "--log-dir", f"{tmp_path}/logs"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    journal, kill_file = tmp_path / "logs" / "app.jsonl", tmp_path / "state" / "kill_switch"

    def wait_for(event: bytes, within_s: float) -> None:
        def has_come() -> bool:
            return journal.exists() and event in journal.read_bytes()

        assert eventually(lambda: has_come() or process.poll() is not None, within_s)
        assert has_come()

    try:
        wait_for(b'"preflight_passed"', 40)
        kill_file.write_text("halt_all\n")
        wait_for(b'"kill_switch"', 10)
        kill_file.unlink()
        line = next(line for line in process.stdout if line.startswith("KILL SWITCH"))
        process.terminate()
        process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()

    assert line.startswith(f"KILL SWITCH: trading is HALTED: {kill_file} says halt_all; ")
    told = list(read_journal(journal))
    begun = [record["event"] for record in told].index("kill_switch")
    states = [record["state"] for record in told[begun:] if record["event"] == "trading_state"]
    assert set(states) == {"HALTED"}


@pytest.mark.parametrize(
    "signal_number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_stop_signal_ends_a_session_in_order_i76(
    signal_number: signal.Signals, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "hydra.main", "--speed", "600",
         "--state-dir", f"{tmp_path}/state", "--log-dir", f"{tmp_path}/logs"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(3)]
    assert said[-1].startswith("bots:")
    journal = tmp_path / "logs" / "app.jsonl"
    while b"preflight_passed" not in journal.read_bytes():
        assert process.poll() is None

    process.send_signal(signal_number)
    out, _ = process.communicate(timeout=10)

    assert process.returncode == ExitCode.CLEAN, out
    events = [record["event"] for record in read_journal(journal)]
    assert events.index("halt_latched") < events.index("halt_acknowledged")
    assert "record:" in out


@pytest.mark.slow
def test_a_halt_is_said_at_once_to_whoever_started_it(tmp_path: Path) -> None:
    arguments = ["--state-dir", f"{tmp_path}/state", "--log-dir", f"{tmp_path}/logs"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "hydra.main", "--speed", "600", *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        ledger, journal = tmp_path / "state" / "trading_state.db", tmp_path / "logs" / "app.jsonl"
        while not (journal.exists() and b"preflight_passed" in journal.read_bytes()):
            assert process.poll() is None
        ledger.rename(tmp_path / "moved.db")
        line = next(line for line in process.stdout if "trading is HALTED" in line)
        assert f"{ledger}: gone; somebody removed or moved it" in line
    finally:
        process.kill()
        process.communicate()
