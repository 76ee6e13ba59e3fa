"""The rows of a bundle are the ledger's, whatever was traded and wherever the journal ended."""

import shutil
import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.ops.artefacts.closing import Ending, close_bundle
from hydra.ops.artefacts.left_ones import close_left_ones
from hydra.ops.artefacts.reading import provenance_in, report_in
from hydra.ops.artefacts.report import AgainstLedger
from hydra.ops.artefacts.rows import ACCOUNT, ORDERS, POSITIONS, TRADES, rows_in
from hydra.store.redaction import Redactor
from hydra.trading.exact import add, subtract, total
from hydra.trading.orders import Order, Role, Side
from messages.orders import OrderAbsent, OrderFilled, OrderUnknown
from tests.ops.artefacts.lives import (
    CASH,
    bundle_in,
    engine_files,
    engine_in,
    killed_in,
    traded,
    wait_until,
)

AGREES = AgainstLedger(agrees=True, found=())

TRADES_DRAWN = st.lists(
    st.tuples(
        st.sampled_from(["fast", "slow"]),
        st.sampled_from(["AAPL", "MSFT", "BTC/USD"]),
        st.sampled_from(Side),
        st.integers(1, 30),
        st.integers(1, 9),
        st.decimals("0.01", "500", places=2),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(drawn=TRADES_DRAWN, told=st.integers(0, 8))
def test_rows_sum_up_to_the_ledger_even_if_the_journal_lost_its_end_i23_i49(
    drawn: list[tuple[str, str, Side, int, int, Decimal]], told: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with engine_in(folder) as engine:
            for number, (bot, symbol, side, quantity, part, price) in enumerate(drawn):
                engine.tells = number < told
                order = engine.ordered(bot, side, str(quantity), symbol=symbol, price=str(price))
                engine.filled(order, str(min(part, quantity)), str(price))
            money = engine.record.ledger.sub_ledgers()
        bundle = bundle_in(folder)

        report, trades = report_in(bundle), rows_in(bundle / TRADES)
        fees = total(bot.fees for bot in report.bots)
        realised = total(Decimal(row["realised"]) for row in trades)
        newest = rows_in(bundle / ACCOUNT)[-1]

        assert report.ledger == AGREES
        assert subtract(realised, fees) == total(each.realised for each in money)
        assert Decimal(newest["cash"]) == add(CASH, total(each.cash for each in money))
        assert len(rows_in(bundle / ORDERS)) == len(drawn)
        assert report.not_understood == 0


def test_an_execution_counts_once_however_often_it_is_told_i23(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        bought = engine.ordered("fast", Side.BUY, "10")
        engine.filled(bought, "10", "100.00")
        (told,) = engine.record.ledger.fills()
        (decision,) = [each.intent.decision for each in engine.record.ledger.orders()]
        engine.tell(
            "report_stored", report="OrderFilled", content=OrderFilled(fill=told), decision=decision
        )

    report = report_in(bundle_in(tmp_path))
    assert report.ledger == AGREES
    assert [lot.quantity for lot in report.held] == [Decimal(10)]
    assert report.not_understood == 0


def test_what_an_operator_settled_is_in_the_sums(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        ledger = engine.record.ledger
        sold = engine.ordered("fast", Side.SELL, "2", price="110")
        engine.filled(sold, "2", "110.00")
        ledger.assign_position(
            "slow",
            "AAPL",
            Decimal(4),
            price=Decimal("101.50"),
            reason="bought by hand",
            operator="me",
            at=engine.at,
        )
        ledger.adjust_cash(Decimal("-3.25"), reason="a fee", operator="me", at=engine.at)
        ledger.commit()
        cash = total(each.cash for each in ledger.sub_ledgers())

    report = report_in(bundle_in(tmp_path))

    assert report.ledger == AGREES
    assert report.cash == add(CASH, cash)
    assert [(lot.bot, lot.quantity) for lot in report.held] == [
        ("fast", Decimal(-2)),
        ("slow", Decimal(4)),
    ]


def test_an_order_that_was_given_up_and_lived_has_one_row_as_it_ended(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        order = engine.ordered("fast", Side.BUY, "2", is_answered=False)
        name, (record,) = order.client_order_id, engine.record.ledger.orders()
        unknown = OrderUnknown(client_order_id=name, reason="no answer", at=engine.at)
        absent = OrderAbsent(client_order_id=name, reason="not found", at=engine.at)
        engine.report(unknown, record.intent.decision)
        engine.report(absent, record.intent.decision)
        engine.filled(order, "2", "100.00")

    (row,) = rows_in(bundle_in(tmp_path) / ORDERS)
    assert (row["client_order_id"], row["status"], row["filled_quantity"]) == (name, "filled", "2")


def test_a_second_session_goes_on_from_what_the_first_one_held(tmp_path: Path) -> None:
    with engine_in(tmp_path) as first:
        bought = first.ordered("fast", Side.BUY, "10")
        first.filled(bought, "10", "100.00")
        waiting = first.ordered("fast", Side.BUY, "7", price="90")
    with engine_in(tmp_path) as second:
        second.at = first.at
        second._signal = first._signal
        second.filled(waiting, "7", "90.00")
        sold = second.ordered("fast", Side.SELL, "12", price="110", role=Role.EXIT)
        second.filled(sold, "12", "110.00")

    _, newest = sorted(engine_files(tmp_path).runs.iterdir())
    report = report_in(newest)

    assert report.ledger == AGREES
    assert report.result == Decimal(140)  # 10 bought at 100, 2 at 90, sold at 110
    assert [(row["status"], row["filled_quantity"]) for row in rows_in(newest / ORDERS)] == [
        ("filled", "7"),
        ("filled", "12"),
    ]
    assert rows_in(newest / POSITIONS)[-1]["position"] == "5"


def test_a_bundle_that_was_killed_is_closed_as_if_it_had_not_been(tmp_path: Path) -> None:
    """The same trades in two folders; in one of them nobody closes the bundle."""
    with engine_in(tmp_path / "whole") as engine:
        traded(engine)
    left = killed_in(tmp_path / "killed")
    (closed,) = close_left_ones(engine_files(tmp_path / "killed"), Redactor(()))

    whole = bundle_in(tmp_path / "whole")
    assert closed == left
    for file in (ORDERS, TRADES, POSITIONS, ACCOUNT):
        assert (left / file).read_bytes() == (whole / file).read_bytes()
    report = report_in(left)
    assert report.ledger == AGREES
    assert report.exit_code is None
    assert report.how_it_ended == "killed or crashed: it never said that it stopped"


def test_a_record_that_was_set_aside_meanwhile_is_found_there(tmp_path: Path) -> None:
    """As the embedded venue's are, when its next market begins."""
    left = killed_in(tmp_path)
    files = engine_files(tmp_path)
    aside = files.ended / "000001"
    aside.mkdir(parents=True)
    shutil.move(files.ledger, aside)
    shutil.move(files.journal, aside)

    assert close_left_ones(files, Redactor(())) == [left]

    report = report_in(left)
    assert report.ledger == AGREES
    assert len(report.trades) == 2


def test_closing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        traded(engine)
    bundle = bundle_in(tmp_path)
    before = {path.name: path.read_bytes() for path in bundle.iterdir() if path.is_file()}

    close_bundle(bundle, engine_files(tmp_path), Ending(exit_code=20, how="?"), with_plots=False)

    after = {path.name: path.read_bytes() for path in bundle.iterdir() if path.is_file()}
    assert after == before


def test_the_next_start_has_closed_what_was_killed(
    tmp_path: Path,
) -> None:
    left = killed_in(tmp_path)
    with engine_in(tmp_path):
        wait_until(lambda: provenance_in(left).is_closed)  # by a process of its own

    ledger = report_in(left).ledger
    assert ledger.agrees is None
    assert ledger.found == ("another session has gone on with it",)


def test_what_is_not_the_ledgers_is_said(tmp_path: Path) -> None:
    """Somebody made a price better, by hand."""
    left = killed_in(tmp_path)
    story = left / "state.jsonl"
    close_bundle(left, engine_files(tmp_path), None, with_plots=False)
    forged = story.read_bytes().replace(b'"price":"101.10"', b'"price":"102.10"')
    story.write_bytes(forged)

    report = close_bundle(left, engine_files(tmp_path), None, with_plots=False)

    assert report.ledger.agrees is False
    (found,) = report.ledger.found
    assert found == "fast: the ledger has 9.6 USD realised, this 15.6"


def test_every_order_and_every_denial_has_one_row(tmp_path: Path) -> None:
    orders: list[Order] = []
    with engine_in(tmp_path) as engine:
        traded(engine)
        orders += [each.state.order for each in engine.record.ledger.orders()]

    rows = rows_in(bundle_in(tmp_path) / ORDERS)

    names = [row["client_order_id"] for row in rows if row["status"] != "denied"]
    assert sorted(names) == sorted(order.client_order_id for order in orders)
    assert [row["status_reason"] for row in rows if row["status"] == "denied"] == [
        "quote_is_fresh: quote is 16 s old, at most 15 s allowed",
        "quote_is_fresh: quote is 40 s old, at most 15 s allowed",
    ]
