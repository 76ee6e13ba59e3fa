"""`hydra-trader reconcile` where no engine runs: what differs, and a person's word about it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from hydra.trading.differences import DifferenceKind
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.brokerage.queries import OrderQuery
from tests.ops.at_rest.left_behind import (
    AAPL,
    bars_file,
    begun,
    engine,
    holding,
    with_a_stranger,
)
from tests.ops.control.command_line import ME, asks, places, says
from tests.ops.sessions import typed

WHY = ("--reason", "seen at the broker")


def test_that_nothing_differs_is_said_and_is_exit_code_0(tmp_path: Path) -> None:
    holding(tmp_path)

    result = says(tmp_path, "reconcile")

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert result.stdout.startswith("nothing differs, as of 2026-01-05T14:4")
    assert result.stdout.endswith("Z (market time)\n")


@pytest.mark.slow
def test_what_differs_is_shown_with_its_ways_out_and_halts_the_next_start_too_i29(
    tmp_path: Path,
) -> None:
    left = with_a_stranger(tmp_path)

    result = says(tmp_path, "reconcile")
    told = asks(tmp_path, "reconcile")

    assert (result.exit_code, result.stderr) == (1, "")
    way_out = "  hydra-trader reconcile assign AAPL --bot BOT --price USD --reason …"
    assert typed(tmp_path, way_out) in result.stdout
    position, cash = told["rows"]
    assert (position["kind"], position["subject"], position["amount"]) == ("position", AAPL, "5")
    assert cash["subject"] == "cash"
    assert (told["checked"], told["is_new"], told["engine"]) == (True, True, "stopped")
    with left.record() as record:
        states = {cause.code: cause.state for cause in record.ledger.halts()}
    assert states["reconciliation"] is TradingState.HALTED


def test_what_happened_while_no_engine_ran_is_booked_and_is_no_difference_i60_i61(
    tmp_path: Path,
) -> None:
    file = bars_file(tmp_path, {"2016-04-15": [100.0] * 13 + [98.0] * 10})
    left = begun(tmp_path, file)
    with engine(left, minutes=10) as hand:
        hand.buy(3, limit=Decimal(99))
    left.goes_on(left.data.bars[15].end_at)
    assert left.positions == {AAPL: 3}

    result = says(tmp_path, "reconcile", "--data", str(file))
    status = asks(tmp_path, "status")

    assert (result.exit_code, result.stdout.partition(",")[0]) == (0, "nothing differs")
    assert {bot["id"]: bot["positions"] for bot in status["bots"]} == {"mom_AAPL": {AAPL: "3"}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "left_over"),
    [
        (("assign", AAPL, "--bot", "mom_AAPL_cross", "--price", "117"), ["cash"]),
        (("exclude", AAPL), ["cash"]),
    ],
)
def test_a_decision_is_on_record_with_reason_and_name_as_if_an_engine_ran_i29_i61(
    tmp_path: Path, words: tuple[str, ...], left_over: list[str]
) -> None:
    left = with_a_stranger(tmp_path)
    with left.record() as record:
        fills = record.ledger.fills()

    result = says(tmp_path, "reconcile", *words, *WHY)
    told = asks(tmp_path, "reconcile")

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert result.stdout.startswith(f"on record: {words[0]} position AAPL: ")
    assert [row["subject"] for row in told["rows"]] == left_over
    with left.record() as record:
        assert record.ledger.fills() == fills  # nothing was made up
        held = {
            (each.bot, each.inventory.symbol): each.inventory.position
            for each in record.ledger.inventories()
        }
        exclusions = record.ledger.exclusions()
    if words[0] == "assign":
        assert held == {("mom_AAPL", AAPL): 8, ("mom_AAPL_cross", AAPL): 5}
    else:
        (excluded,) = exclusions
        assert (excluded.kind, excluded.subject) == (DifferenceKind.POSITION, AAPL)
        assert (excluded.operator, excluded.reason) == (ME, WHY[1])
        assert excluded.quantity == 5


@pytest.mark.slow
def test_an_order_at_the_venue_is_adopted_for_a_bot_i29(tmp_path: Path) -> None:
    left = begun(tmp_path)
    with engine(left, minutes=10) as hand:
        hand.bought_by_a_stranger(1, limit=Decimal(90))
    (resting,) = left.brokerage.orders(OrderQuery())
    (subject,) = [row["subject"] for row in asks(tmp_path, "reconcile")["rows"]]

    adopted = says(tmp_path, "reconcile", "adopt", subject, "--bot", "mom_AAPL", *WHY)

    assert (adopted.exit_code, adopted.stderr) == (ExitCode.CLEAN, "")
    assert f"{resting.id} buys for mom_AAPL from now on" in adopted.stdout
    assert asks(tmp_path, "reconcile")["rows"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("exclude", "TSLA"), "there is no difference named TSLA; there is AAPL or cash\n"),
        (("adopt", AAPL, "--bot", "mom_AAPL"), "adopt is no way out for AAPL; position: "),
        (
            ("assign", AAPL, "--bot", "unattributed", "--gone", "--price", "1"),
            "AAPL: found assigning 5 ",
        ),
    ],
)
def test_a_decision_that_does_not_fit_is_refused_in_one_line_and_changes_nothing_i29_i61(
    tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    left = with_a_stranger(tmp_path, in_order=True)
    says(tmp_path, "reconcile")
    with left.record() as record:
        before = record.ledger.sub_ledgers(), record.ledger.exclusions()

    says(tmp_path, "reconcile")  # ends in order, and so does what is refused
    result = says(tmp_path, "reconcile", *words, *WHY)

    assert (result.exit_code, result.stdout) == (1, "")
    assert asks(tmp_path, "status")["ended_in_order"]
    assert result.stderr.startswith(complaint)
    assert result.stderr.count("\n") == 1
    with left.record() as record:
        assert (record.ledger.sub_ledgers(), record.ledger.exclusions()) == before


def test_how_the_engine_ended_is_not_lost_where_a_person_is_to_look_at_it_i03(
    tmp_path: Path,
) -> None:
    left = holding(tmp_path)
    says(tmp_path, "halt", "--reason", "a drill")

    says(tmp_path, "reconcile")

    with left.record() as record:
        codes = {cause.code for cause in record.ledger.halts()}
    assert codes == {"operator-halt", "unclean_end_when_stopped"}


@pytest.mark.slow
def test_a_position_that_is_assigned_between_two_runs_is_held_and_exited_by_its_bot_i29(
    tmp_path: Path,
) -> None:
    left = with_a_stranger(tmp_path)
    assigned = ("assign", AAPL, "--bot", "mom_AAPL", "--price", "117.40", *WHY)
    says(tmp_path, "reconcile", *assigned)
    (cash,) = asks(tmp_path, "reconcile")["rows"]
    says(tmp_path, "reconcile", "adjust-cash", cash["amount"], *WHY)
    assert asks(tmp_path, "reconcile")["rows"] == []
    says(tmp_path, "resume", "--reason", "all is settled")

    code = main([*places(tmp_path), "--speed", "2500"])

    assert code == ExitCode.CLEAN
    verified: Any = asks(tmp_path, "verify", "--decisions")
    assert [check for check in verified["checks"] if not check["ok"]] == []
    status = asks(tmp_path, "status")
    assert {bot["id"]: bot["positions"] for bot in status["bots"]}["mom_AAPL"] == {}
    sold = [fill for fill in left.fills if fill.side.sign < 0]
    assert sold[0].quantity == 13


def test_an_engine_that_hangs_is_named_and_left_alone_i73(tmp_path: Path) -> None:
    left = holding(tmp_path)

    with left.record():
        result = says(tmp_path, "reconcile")

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    assert result.stderr.count("\n") == 1
