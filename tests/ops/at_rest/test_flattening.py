"""`hydra-trader flatten` where no engine runs: it is done all the same, and by the same rules."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MINUTE
from hydra.main import main
from hydra.ops.at_rest.account import embedded_at_rest
from hydra.ops.at_rest.engine import engine_at_rest
from hydra.ops.at_rest.market import market_at_rest
from hydra.ops.embedded_account import ServedMarket
from hydra.ops.exit_codes import ExitCode
from hydra.ports import LedgerMark
from hydra.store.ledger import Ledger, LedgerFailed
from hydra.trading.orders import Side
from hydra.trading.trading_state import TradingState
from tests.engine.scenery import shipped_settings
from tests.ops.at_rest.left_behind import AAPL, Left, bars_file, begun, engine, holding
from tests.ops.control.command_line import HOME, ME, asks, places, says
from tests.ops.control.engines import files_in
from tests.ops.control.lives import begun as begun_record
from tests.ops.sessions import typed

FLATTEN = ("flatten", "--yes", "--reason", "enough")


def in_order(phases: list[str]) -> list[str]:
    """Each of these once, as they follow one another; who only looks now and then misses some."""
    wanted = ("pausing", "canceling", "closing", "verifying", "flat")
    return [phase for phase in wanted if phase in phases]


def flat_on_record(left: Left) -> dict[str, TradingState]:
    """Nothing is held, at the venue or on record; gives what stands."""
    assert left.positions == {}
    with left.record() as record:
        held = [each for each in record.ledger.inventories() if each.inventory.lots]
        assert (held, record.ledger.open_orders()) == ([], ())
        return {cause.code: cause.state for cause in record.ledger.halts()}


@pytest.mark.slow
def test_what_a_killed_engine_held_is_closed_and_the_pause_stays_on_record_i01_i04_i59(
    tmp_path: Path,
) -> None:
    left = holding(tmp_path)

    result = says(tmp_path, *FLATTEN)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    heading, where, *steps, sold, then = result.stdout.splitlines()
    assert heading.startswith("EMBEDDED VENUE: not real money, not real fills; market: GENERATED")
    assert where.startswith(
        f"no engine runs on {left.files.lock.parent}: done from here, without its bots; market time"
        " is 2026-01-05T14:4"
    )
    phases = [step.partition(":")[0] for step in steps]
    assert phases == in_order(phases)
    assert (phases[0], phases[-2:]) == ("pausing", ["verifying", "flat"])
    assert sold == f"sell 8 AAPL at {left.fills[-1].price:f} for mom_AAPL"
    assert then.startswith("the market is at 2026-01-05T14:4")
    ends = " now; the next run starts paused, until `hydra-trader resume --reason …`"
    assert then.endswith(typed(tmp_path, ends))
    assert [order.side for order in left.submitted] == [Side.BUY, Side.SELL]
    assert flat_on_record(left)["flatten"] is TradingState.CLOSE_ONLY


@pytest.mark.slow
def test_the_record_is_sound_after_it_and_every_order_was_judged_i54_i90(tmp_path: Path) -> None:
    holding(tmp_path)

    says(tmp_path, *FLATTEN)
    verified = asks(tmp_path, "verify", "--decisions")

    assert [check for check in verified["checks"] if not check["ok"]] == []
    assert (verified["decisions"]["approved"], verified["decisions"]["orders"]) == (2, 2)


@pytest.mark.slow
def test_for_programs_each_step_is_a_line_of_json_with_what_was_closed(tmp_path: Path) -> None:
    holding(tmp_path)

    result = says(tmp_path, *FLATTEN, "--json")

    steps = [json.loads(line) for line in result.stdout.splitlines()]
    phases = [step["phase"] for step in steps]
    assert phases == in_order(phases)
    closed = {step["phase"]: len(step["closed"]) for step in steps}
    assert (closed["pausing"], closed["verifying"], closed["flat"]) == (0, 1, 1)
    assert steps[-1].keys() == {
        "phase", "detail", "open_orders", "positions", "at", "closed", "market_over",
        "opens_at", "recorded",
    }  # fmt: skip


@pytest.mark.slow
def test_with_halt_all_the_next_start_is_halted_i04(tmp_path: Path) -> None:
    left = holding(tmp_path, in_order=True)

    says(tmp_path, *FLATTEN, "--halt-all")

    assert flat_on_record(left) == {"flatten": TradingState.HALTED}


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    "whose",
    # What differs is read again and again, until the budget of the minute is used up.
    ["ours", "a stranger's"],
)
def test_an_order_that_works_is_canceled_whosever_it_is_i10(tmp_path: Path, whose: str) -> None:
    left = begun(tmp_path)
    with engine(left, minutes=10) as hand:
        hand.buy(2)
        if whose == "ours":
            hand.buy(1, bot="mom_AAPL_cross", limit=Decimal(116))
        else:
            hand.bought_by_a_stranger(1, limit=Decimal(80))
    assert len(left.resting) == 1

    result = says(tmp_path, *FLATTEN)

    assert result.exit_code == ExitCode.CLEAN
    assert left.resting == []
    flat_on_record(left)


@contextmanager
def flattening(folder: Path, at_line: str) -> "Iterator[subprocess.Popen[str]]":
    """A process that flattens, and has come to this line of what it tells."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "hydra.cli", "flatten", *places(folder), *FLATTEN[1:]],
        cwd=HOME,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any(line.startswith(at_line) for line in process.stdout), "it came so far"
        yield process


@pytest.mark.slow
def test_whoever_else_wants_the_record_meanwhile_hears_which_command_has_it_i57(
    tmp_path: Path,
) -> None:
    left = holding(tmp_path)
    with flattening(tmp_path, "pausing") as process:
        meanwhile = says(tmp_path, "halt", "--reason", "a drill")
        process.communicate(timeout=60)

    assert (meanwhile.exit_code, process.returncode) == (ExitCode.HELD_BY_ANOTHER, ExitCode.CLEAN)
    assert meanwhile.stderr.startswith(
        f"{left.files.lock.parent}: the command `flatten` (process {process.pid} on "
    )


class Killed(Exception):
    """Nothing more of the process happens."""


def flatten_until_killed(left: Left, after_s: float) -> None:
    account = embedded_at_rest(left.files, shipped_settings(), None)
    with engine_at_rest(left.files, shipped_settings(), account, "ada", "flatten") as at_rest:
        at_rest.call("flatten", reason="enough", pause="close_only")
        at_rest.wait(after_s)
        raise Killed


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0, 0.9, 1.05, 1.3, 2.5, 3.5])
def test_killed_wherever_it_was_it_goes_on_when_it_is_said_again_and_sells_once_i17_i59(
    tmp_path: Path, after_s: float
) -> None:
    left = holding(tmp_path)
    with pytest.raises(Killed):
        flatten_until_killed(left, after_s)

    result = says(tmp_path, *FLATTEN)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert [fill.quantity for fill in left.fills if fill.side is Side.SELL] == [8]
    causes = flat_on_record(left)
    assert causes["flatten"] is TradingState.CLOSE_ONLY


@pytest.mark.slow
@pytest.mark.parametrize("at_line", ["no engine runs", "pausing", "verifying", "flat"])
def test_its_process_may_be_killed_wherever_it_is_and_that_is_on_record_i17_i59_i75(
    tmp_path: Path, at_line: str
) -> None:
    left = holding(tmp_path)
    with flattening(tmp_path, at_line) as process:
        process.kill()

    ended_in_order = asks(tmp_path, "status")["ended_in_order"]
    result = says(tmp_path, *FLATTEN)

    assert not ended_in_order
    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert [fill.quantity for fill in left.fills if fill.side is Side.SELL] == [8]
    assert flat_on_record(left)["flatten"] is TradingState.CLOSE_ONLY


@pytest.mark.slow
def test_a_word_that_waits_for_the_next_start_is_not_carried_out_by_it_i04(tmp_path: Path) -> None:
    left = holding(tmp_path, in_order=True)
    says(tmp_path, "halt", "--reason", "a drill")
    says(tmp_path, "resume", "--reason", "it was one")

    says(tmp_path, *FLATTEN)
    status = asks(tmp_path, "status")

    assert flat_on_record(left).keys() == {"operator-halt", "flatten"}
    assert status["resume_noted"]


@pytest.mark.slow
def test_in_a_pause_of_the_market_it_closes_when_the_market_is_open_again(tmp_path: Path) -> None:
    file = bars_file(tmp_path, {"2016-04-15": [100.0] * 11, "2016-04-18": [103.0] * 5})
    left = begun(tmp_path, file)
    with engine(left, minutes=10) as hand:
        hand.buy(3)

    result = says(tmp_path, *FLATTEN, "--data", str(file))

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert "\nsell 3 AAPL at 103 for mom_AAPL\n" in result.stdout
    flat_on_record(left)


@pytest.mark.slow
@pytest.mark.parametrize("over_before", [True, False])
def test_when_the_market_is_over_nothing_can_be_closed_and_that_is_said_with_exit_code_20(
    tmp_path: Path, over_before: bool
) -> None:
    file = bars_file(tmp_path, {"2016-04-15": [100.0] * 11})
    left = begun(tmp_path, file)
    with engine(left, minutes=10) as hand:
        hand.buy(3)
    if over_before:
        left.goes_on(left.data.sessions.sessions[-1].close_at + MINUTE)

    result = says(tmp_path, *FLATTEN, "--data", str(file))

    assert result.exit_code == ExitCode.FAIL_CLOSED
    assert "\nfailed: the market is over; " in result.stdout
    assert result.stderr == typed(
        tmp_path,
        "NOT FLAT: the market of this account is over, so that nothing of it can be closed any"
        " more; left: 3 AAPL; look at `hydra-trader status`\n",
    )
    assert left.positions == {AAPL: 3}
    assert left.resting == []
    with left.record() as record:
        assert "flatten" in {cause.code for cause in record.ledger.halts()}


@pytest.mark.slow
def test_what_takes_longer_than_was_said_is_not_called_flat_and_is_gone_on_with(
    tmp_path: Path,
) -> None:
    file = bars_file(tmp_path, {"2016-04-15": [100.0] * 11, "2016-04-18": [103.0] * 5})
    left = begun(tmp_path, file)
    with engine(left, minutes=10, speed=1.0) as hand:
        hand.buy(3)
    friday, monday = left.data.sessions.sessions
    left.goes_on(friday.close_at + MINUTE)

    first = says(tmp_path, *FLATTEN, "--data", str(file), "--within", "4")
    left.goes_on(monday.open_at + 2 * MINUTE)
    second = says(tmp_path, *FLATTEN, "--data", str(file))

    waiting = "\nwaiting: until 2016-04-18T13:30:00.000Z (market time): the exchange is closed, "
    assert waiting in first.stdout
    assert first.exit_code == 1
    assert first.stderr == typed(
        tmp_path,
        "NOT FLAT: not flat within 4 s, and waiting for a market to open; left: 3 AAPL; the next"
        " start goes on with it, until `hydra-trader flatten --withdraw` is said\n",
    )
    assert (second.exit_code, second.stderr) == (ExitCode.CLEAN, "")
    flat_on_record(left)


def test_real_bars_have_to_be_named_and_have_to_be_the_same_ones(tmp_path: Path) -> None:
    file = bars_file(tmp_path, {"2016-04-15": [100.0] * 20})
    left = begun(tmp_path, file)
    with engine(left, minutes=10) as hand:
        hand.buy(3)
    (tmp_path / "other").mkdir()
    other = bars_file(tmp_path / "other", {"2016-04-15": [101.0] * 20})

    unnamed = says(tmp_path, *FLATTEN)
    wrong = says(tmp_path, *FLATTEN, "--data", str(other))
    missing = says(tmp_path, *FLATTEN, "--data", str(tmp_path / "AAPL_none.csv"))

    told = (
        "the account is in the market real bars from AAPL_test.csv: say with --data where its bars"
        " are, as for `run`; for a generated one, enable the bots in bots.yaml that it was"
        " generated for\n"
    )
    assert (unnamed.exit_code, unnamed.stderr) == (ExitCode.USAGE, f"found no --data; {told}")
    assert (wrong.exit_code, wrong.stderr) == (
        ExitCode.USAGE,
        f"found real bars from AAPL_test.csv by --data; {told}",
    )
    assert (missing.exit_code, missing.stdout) == (ExitCode.USAGE, "")
    assert left.positions == {AAPL: 3}


@pytest.mark.slow
def test_a_generated_market_is_known_by_its_seed(tmp_path: Path) -> None:
    left = begun(tmp_path, seed=7)
    with engine(left, minutes=10) as hand:
        hand.buy(3)

    result = says(tmp_path, *FLATTEN)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert "market: GENERATED prices (seed 7)" in result.stdout
    flat_on_record(left)


def test_the_market_is_taken_as_the_run_played_it_and_the_log_is_left_as_it_is(
    tmp_path: Path,
) -> None:
    left = begun(tmp_path, seed=7)
    with engine(left, minutes=10, speed=90.0):
        pass
    written = left.files.venue_account.read_bytes()

    market = market_at_rest(left.files, shipped_settings(), None)

    assert market == ServedMarket(data=left.data, source=None, seed=7, speed=90.0)
    assert left.files.venue_account.read_bytes() == written


def test_an_account_of_virtual_time_is_over_and_that_is_said_in_one_line(tmp_path: Path) -> None:
    main([*places(tmp_path), "--clock", "virtual"])

    result = says(tmp_path, *FLATTEN)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr.startswith(f"{tmp_path}/state/venue/requests.jsonl: found an account of ")
    assert result.stderr.count("\n") == 1


def test_where_nothing_was_ever_traded_there_is_nothing_to_close(tmp_path: Path) -> None:
    result = says(tmp_path, *FLATTEN)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr.startswith(f"{tmp_path}/state/trading_state.db: found none, so no engine")


@pytest.mark.parametrize("verb", [FLATTEN, ("reconcile",)])
def test_a_ledger_that_is_lost_is_not_said_to_have_never_been_i54_i58(
    tmp_path: Path, verb: tuple[str, ...]
) -> None:
    """Whoever wants to close what he holds must not be told that there is nothing."""
    files = files_in(tmp_path)
    begun_record(files).close()
    files.ledger.unlink()

    result = says(tmp_path, *verb)

    assert (result.exit_code, result.stdout) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stderr.startswith(f"{files.ledger}: found no ledger, but ")
    assert "put the ledger back" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_engine_that_hangs_is_named_and_left_alone_before_anything_else_i73(
    tmp_path: Path,
) -> None:
    file = bars_file(tmp_path, {"2016-04-15": [100.0] * 20})
    left = begun(tmp_path, file)  # no --data is said below, and that is not what to tell first
    with engine(left, minutes=10) as hand:
        hand.buy(8)

    with left.record():
        result = says(tmp_path, *FLATTEN)

    pid = ME.rpartition(" ")[2]
    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    assert f"an engine (process {pid} on " in result.stderr
    assert result.stderr.count("\n") == 1
    assert left.positions == {AAPL: 8}


@pytest.mark.slow
def test_an_engine_that_fails_at_rest_shuts_itself_and_says_so_with_exit_code_20_i56(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = holding(tmp_path)
    commits = iter(range(100))
    commit = Ledger.commit

    def failing(ledger: Ledger) -> LedgerMark:
        if next(commits) >= 6:
            raise LedgerFailed("disk I/O error")
        return commit(ledger)

    monkeypatch.setattr(Ledger, "commit", failing)
    result = says(tmp_path, *FLATTEN)
    monkeypatch.undo()

    assert result.exit_code == ExitCode.FAIL_CLOSED
    assert result.stderr == (
        "FAILED CLOSED: the root supervisor failed: RestartIntensityExceeded: core: receive:"
        " RestartIntensityExceeded: state_persister: start: LedgerFailed: disk I/O error; trading"
        " is shut; look at the journal, then say it again\n"
    )
    assert left.positions == {AAPL: 8}
    assert says(tmp_path, *FLATTEN).exit_code == ExitCode.CLEAN
    assert flat_on_record(left).keys() >= {"fail-closed", "flatten"}
