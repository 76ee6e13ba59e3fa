"""`bridge` as an operator says it: of an engine that runs, and where something is in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from hydra.ops.equity import present
from hydra.store.ledger import Ledger
from hydra.trading.account_reading import AccountReading, AccountStatement, Activity, Mark
from hydra.trading.orders import Side
from hydra.venues.alpaca.reads import ReadFailed
from messages.orders import OrderAccepted
from tests.ops.control.command_line import asks, says
from tests.ops.control.engines import controlled, files_in
from tests.store.orders import AT, approved, decision, filled

D = Decimal
MINUTE = 60_000_000_000


def traded(folder: Path) -> None:
    """The record of an account that had 10,000 USD, and of a bot that bought ten shares."""
    files = files_in(folder)
    files.ledger.parent.mkdir(mode=0o700)
    ledger = Ledger.open(files.ledger, venue="embedded", at=AT)
    ledger.open_account(D(10_000), AT)
    order = approved(decision(), side=Side.BUY, quantity=D(10)).order
    ledger.record_intent(approved(decision(), side=Side.BUY, quantity=D(10)), AT)
    name = order.client_order_id
    told = OrderAccepted(client_order_id=name, venue_order_id="theirs", at=AT + MINUTE)
    ledger.record_report(told, AT + MINUTE)
    report = filled(order, D(10), "x-1", price=D(100))
    fill = replace(report.fill, at=AT + MINUTE)
    ledger.record_report(replace(report, fill=fill), AT + MINUTE)
    ledger.commit()
    ledger.close()


BOUGHT = Activity(
    id="20240102093000000::x-1",
    kind="FILL",
    at=AT + MINUTE,
    cash=D(-1000),
    symbol="AAPL",
    quantity=D(10),
    price=D(100),
    order_id="theirs",
)


def statement(*others: Activity, cash: str = "9000", minutes: int = 5) -> AccountStatement:
    mark = Mark(symbol="AAPL", quantity=D(10), value=D(1012), price=D("101.2"))
    return AccountStatement(
        reading=AccountReading(
            account="PA-TEST",
            at=AT + minutes * MINUTE,
            cash=D(cash),
            equity=D(cash) + 1012,
            marks=(mark,),
            counted=(BOUGHT.id, *(each.id for each in others)),
        ),
        activities=(BOUGHT, *others),
    )


Shows = Callable[[AccountStatement], None]


class Venue:
    """What the engine's venue answers, and since when it was asked."""

    def __init__(self) -> None:
        self.statement = statement()
        self.complaint: str | None = None
        self.asked: list[int | None] = []

    def read(self, since: int | None, _deadline: float) -> AccountStatement:
        self.asked.append(since)
        if self.complaint is not None:
            raise ReadFailed(self.complaint)
        return self.statement


@pytest.fixture
def venue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    monkeypatch.setattr(present, "PAUSE_S", 0.0)
    traded(tmp_path)
    venue = Venue()
    with controlled(tmp_path, read_account=venue.read):
        yield venue


def test_a_running_engine_is_asked_and_all_is_explained(tmp_path: Path, venue: Venue) -> None:
    said = says(tmp_path, "bridge")

    assert (said.exit_code, said.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in said.stdout.splitlines()]
    assert lines == [
        "equity bridge, USD, since the record began",
        "equity at 2024-01-02 14:30 UTC 10,000.00",
        "realised by momentum, before fees +0.00",
        "change of unrealised, AAPL +12.00",
        "equity at 2024-01-02 14:35 UTC 10,012.00",
        "unexplained 0.00",
    ]


def test_what_is_unexplained_is_said_loudly_with_what_it_could_be(
    tmp_path: Path, venue: Venue
) -> None:
    venue.statement = statement(cash="8999.995")
    said = says(tmp_path, "bridge")

    assert said.exit_code == 1
    assert "DIFFERENCE, -0.005 USD: cash changed by what no activity says" in said.stdout
    assert "NOT ZERO: -0.005 USD are unexplained" in said.stdout
    assert "it could be: `hydra-trader reconcile` compares" in said.stdout


def test_it_begins_with_what_it_said_before(tmp_path: Path, venue: Venue) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text(says(tmp_path, "bridge", "--json").stdout)
    deposit = Activity(id="d-1", kind="CSD", at=AT + 6 * MINUTE, cash=D(50), status="executed")
    venue.statement = statement(deposit, cash="9050", minutes=7)

    told = asks(tmp_path, "bridge", "--since", str(kept))

    assert told["is_zero"] is True
    assert told["bridge"]["lines"][-1] == {"section": "activities", "of": "CSD", "amount": "50"}
    assert told["bridge"]["since"] == str(kept)
    assert venue.asked[-1] == AT + 5 * MINUTE


def test_an_account_that_cannot_be_read_is_one_line(tmp_path: Path, venue: Venue) -> None:
    venue.complaint = "GET /v2/account: no answer"
    said = says(tmp_path, "bridge")

    assert said.exit_code == 14
    assert said.stderr == "the account could not be read: GET /v2/account: no answer\n"


def test_what_was_not_kept_is_said(tmp_path: Path, venue: Venue) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text("{}")
    cases = {
        ("--day", "2026-11-23", "--since", "x"): "found --day and --since; wanted one",
        ("--day", "2026-11-23"): "found no snapshot of 2026-11-23",
        ("--since", "2026-11-23"): "no snapshot of that day that has a reading; there are: none",
        ("--since", str(odd)): "wanted what `bridge --json` says",
    }
    for words, complaint in cases.items():
        said = says(tmp_path, "bridge", *words)
        assert said.exit_code == 2
        assert complaint in said.stderr


def test_where_nothing_was_ever_traded_that_is_said(tmp_path: Path) -> None:
    said = says(tmp_path, "bridge")

    assert said.exit_code == 2
    assert "found none, so no engine has traded here" in said.stderr


def test_where_no_engine_runs_and_no_venue_was_served_that_is_said(tmp_path: Path) -> None:
    traded(tmp_path)
    said = says(tmp_path, "bridge")

    assert said.exit_code == 2
    assert "wanted the state of one" in said.stderr
