"""Halts whose process is killed with SIGKILL: before, while and after they come on record."""

import signal
from pathlib import Path
from typing import NamedTuple

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.store.halt_marker import BLOCK_BYTES
from hydra.testkit.judge.evidence import carried_in
from hydra.trading.causes import UNCLEAN_END_WHEN_STOPPED
from hydra.venues.simulated.market_data import MarketData
from tests.crash.trading import Trader, commits_in

pytestmark = pytest.mark.slow

JUMPING = {"max_nav_jump_pct: 3 ": "max_nav_jump_pct: 0.001 "}
"""A change of a dollar from one bar to the next halts."""
FALLING = {
    "max_session_drawdown_pct: 1.5 ": "max_session_drawdown_pct: 0.009 ",
    "drawdown_begins_pct: 0.75 ": "drawdown_begins_pct: 0.008 ",
    "recovery_begins_pct: 0.5 ": "recovery_begins_pct: 0.007 ",
    "recovery_ends_pct: 0.25 ": "recovery_ends_pct: 0.006 ",
}
"""Nine dollars below the peak of the session only closing is allowed."""

BEFORE_IT_IS_ON_RECORD = (
    "journal.append.before",
    "journal.append.after",
    "ledger.commit.before",
    "ledger.commit.events_written",
    "ledger.commit.tables_written",
)
AFTERWARDS = ("ledger.commit.after", "acknowledged")


class Halting(NamedTuple):
    """A session that halts by itself, at some minute, undisturbed."""

    settings: dict[str, str]
    code: str
    line: int
    """In which line the journal says that it is latched."""
    commit: int
    """With which commit it is on record."""
    acknowledged: int
    """And in which line that is said."""

    def place(self, step: str) -> str:
        """The place of a step, with the how manieth time it is reached then."""
        match step.partition("."):
            case "journal", _, _:
                return f"{step}:{self.line}"
            case "ledger", _, _:
                return f"{step}:{self.commit}"
            case _:
                return f"journal.append.after:{self.acknowledged}"


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(JUMPING, id="halted"),
        pytest.param(FALLING, id="close only"),
    ],
)
def halting(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    market: MarketData,
    calendar: Path,
) -> Halting:
    trader = Trader(tmp_path_factory.mktemp("halting"), market, calendar, settings=request.param)
    assert trader.run() == ExitCode.CLEAN
    trader.require_sound()
    (code,) = trader.halts
    (latched,) = (
        line.seq
        for line in trader.lines
        if line.event == "halt_latched" and f"'{code}'" in str(line.fields["cause"])
    )
    (acknowledged,) = (line.seq for line in trader.lines if line.event == "halt_recorded")
    commits = commits_in(trader.files.ledger)
    (commit,) = (n for n, kinds in enumerate(commits, start=1) if "HaltLatched" in kinds)
    return Halting(request.param, code, latched, commit, acknowledged)


@pytest.mark.parametrize(
    "step",
    [
        *BEFORE_IT_IS_ON_RECORD,
        *AFTERWARDS,
    ],
)
def test_a_halt_that_is_on_record_outlives_the_kill_and_one_before_it_was_never_told_i01_i02_i03(
    step: str, halting: Halting, tmp_path: Path, market: MarketData, calendar: Path
) -> None:
    trader = Trader(tmp_path, market, calendar, settings=halting.settings)
    trader.die(halting.place(step))
    latched, sent = trader.halts.get(halting.code), trader.sent
    if not step.startswith("journal"):  # the journal may come to it before or after the ledger
        assert (latched is not None) is (step in AFTERWARDS)

    code = trader.run()

    trader.require_sound()
    if latched is None:  # nobody was told of it; what is wrong will be found again
        assert code == ExitCode.CLEAN
        return
    assert code == ExitCode.PREFLIGHT_FAILED
    assert trader.run() == ExitCode.PREFLIGHT_FAILED
    assert set(trader.halts) == {halting.code, UNCLEAN_END_WHEN_STOPPED.code}
    standing = trader.halts[halting.code]
    assert (standing.state, standing.detail, trader.sent) == (latched.state, latched.detail, sent)
    trader.require_sound()


CARRYING = (
    "recovery.carried_written",
    *(f"recovery.set_aside:{number}" for number in (1, 2, 3, 4)),
    "ledger.open.created:2",
    "ledger.migrate.step:3",
    "ledger.open.verified:2",
    "recovery.crosschecked",
    "ledger.commit.before:2",
    "ledger.commit.tables_written:2",
    "recovery.carried_recorded",
    "recovery.carried_done",
    "recovery.done",
    "venue.rebuild.before_opened",
    "run.latched_at_start",
    "run.played",
)
"""From the end of an account's life into the next one."""


@pytest.fixture(scope="session")
def halted_afterwards(
    tmp_path_factory: pytest.TempPathFactory, market: MarketData, calendar: Path
) -> Trader:
    """One whose market is over, and an operator halted it then."""
    trader = Trader(tmp_path_factory.mktemp("halted"), market, calendar)
    assert trader.run() == ExitCode.CLEAN
    assert trader.says("halt", "--reason", "it was a bad day") == ExitCode.CLEAN
    return trader


@pytest.mark.parametrize(
    "places",
    [
        ("recovery.carried_recorded",),
        *(CARRYING[number::5] for number in range(5)),
        ("recovery.set_aside:1",) * 3,
        ("recovery.set_aside:2", "recovery.set_aside:1"),
    ],
    ids=" ".join,
)
def test_a_halt_goes_on_into_the_next_account_wherever_its_way_there_is_killed_i02_i04_i59(
    places: tuple[str, ...], halted_afterwards: Trader, tmp_path: Path
) -> None:
    trader = halted_afterwards.twin(tmp_path / "twin")
    before = trader.halts["operator-halt"]

    for place in places:
        assert trader.run(place) == -signal.SIGKILL, place
        assert trader.violations == []

    assert trader.run() == ExitCode.PREFLIGHT_FAILED
    after = trader.halts["operator-halt"]
    assert (after.state, after.detail, trader.sent) == (before.state, before.detail, ())
    trader.require_sound(str(places))


@pytest.mark.parametrize("step", [*BEFORE_IT_IS_ON_RECORD[2:], AFTERWARDS[0]])
def test_a_halt_that_was_being_cleared_stands_unless_that_is_on_record_i04(
    step: str, halted_afterwards: Trader, tmp_path: Path
) -> None:
    trader = halted_afterwards.twin(tmp_path / "trader")
    assert trader.says("resume", "--reason", "it is over") == ExitCode.CLEAN
    twin = trader.twin(tmp_path / "twin")
    assert twin.run() == ExitCode.CLEAN
    (commit,) = (
        number
        for number, kinds in enumerate(commits_in(twin.files.ledger), start=1)
        if "HaltCleared" in kinds
    )

    trader.die(f"{step}:{commit}")

    assert ("operator-halt" in trader.halts) is (step not in AFTERWARDS)
    wanted = ExitCode.CLEAN if step in AFTERWARDS else ExitCode.PREFLIGHT_FAILED
    assert trader.run() == wanted
    assert bool(trader.sent) is (step in AFTERWARDS)
    trader.require_sound()


def test_a_word_that_was_said_before_a_halt_does_not_clear_it_in_the_next_account_i04(
    halted_afterwards: Trader, tmp_path: Path
) -> None:
    trader = halted_afterwards.twin(tmp_path / "twin")
    assert trader.says("resume", "--reason", "it was a good day after all") == ExitCode.CLEAN
    trader.die("recovery.crosschecked")
    assert trader.says("halt", "--reason", "no, it was not") == ExitCode.CLEAN

    assert trader.run() == ExitCode.PREFLIGHT_FAILED

    assert trader.halts["operator-halt"].detail.startswith("no, it was not")
    trader.require_sound()


def test_a_halt_said_while_another_one_is_carried_stands_beside_it_i02_i05(
    halted_afterwards: Trader, tmp_path: Path
) -> None:
    trader = halted_afterwards.twin(tmp_path / "twin")
    trader.die("recovery.crosschecked")
    assert carried_in(trader.files) != ()
    assert trader.says("halt", "--close-only", "--reason", "this too") == ExitCode.CLEAN

    assert trader.run() == ExitCode.PREFLIGHT_FAILED

    assert set(trader.halts) == {"operator-halt", "operator-close-only"}
    trader.require_sound()


def test_a_halt_marker_that_was_damaged_halts_the_next_account_too_i03(trader: Trader) -> None:
    assert trader.run() == ExitCode.CLEAN
    with trader.files.halt_marker.open("r+b") as marker:
        marker.seek(BLOCK_BYTES // 2)
        marker.write(b"x")

    assert trader.run() == ExitCode.PREFLIGHT_FAILED

    assert set(trader.halts) == {"halt_marker_unreadable"}
    assert trader.sent == ()


@pytest.mark.parametrize("step", [*BEFORE_IT_IS_ON_RECORD[2:], AFTERWARDS[0]])
def test_a_kill_file_that_is_gone_after_the_kill_has_halted_if_it_was_on_record_i02_i04_i07(
    step: str, trader: Trader, tmp_path_factory: pytest.TempPathFactory
) -> None:
    twin = trader.twin(tmp_path_factory.mktemp("twin") / "of it")
    for each in (twin, trader):
        each.files.kill_switch.write_text("halt_all\n")
    assert twin.run() == ExitCode.PREFLIGHT_FAILED
    (commit,) = (
        number
        for number, kinds in enumerate(commits_in(twin.files.ledger), start=1)
        if "HaltLatched" in kinds
    )

    trader.die(f"{step}:{commit}")
    trader.files.kill_switch.unlink()

    wanted = ExitCode.PREFLIGHT_FAILED if step in AFTERWARDS else ExitCode.CLEAN
    assert trader.run() == wanted
    assert bool(trader.sent) is (step not in AFTERWARDS)
    trader.require_sound()
