"""Engines of a few lines: they record and tell as the real one does, in the same order."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep

import msgspec

from hydra.ops.artefacts import folder as files_of
from hydra.ops.artefacts.bundle import session_bundle
from hydra.ops.artefacts.opening import opening_of
from hydra.ops.artefacts.provenance import Provenance, RunFacts, Window, encoded
from hydra.ops.artefacts.writing import BundleWriter
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.trading.durations import MINUTE
from hydra.trading.fees import ALPACA_FEES
from hydra.trading.local_time import new_york_date
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    Role,
    Side,
    TimeInForce,
    client_order_id,
)
from messages.orders import (
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderFilled,
    OrderIntent,
    Outcome,
)
from tests.store.orders import AT

ACCOUNT = "PA-1"
RUN = RunFacts(
    mode="paper",
    venue="paper",
    account=ACCOUNT,
    version="1.0.0",
    configuration="digest",
    origin="prices of a test",
    window=Window(begins_at=AT),
    seed=7,
)
OWNER = Owner(venue="paper", account=ACCOUNT, version="1.0.0", configuration="digest", at=AT)
CASH = Decimal(100_000)


def engine_files(folder: Path) -> EngineFiles:
    return EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "app.jsonl")


class Engine:
    """Trades by hand. With `tells` False it dies before the journal has what the ledger has."""

    def __init__(self, record: EngineRecord) -> None:
        self.record = record
        self.at = AT
        self.tells = True
        self._signal = 0

    def begin(self) -> None:
        if self.record.ledger.opening_cash is None:
            self.record.ledger.open_account(CASH, self.at)
            self.record.ledger.commit()
        self.tell("session_started", origin="prices of a test", seed=7, bots=["fast", "slow"])

    def ordered(
        self,
        bot: str,
        side: Side,
        quantity: str,
        *,
        symbol: str = "AAPL",
        price: str = "100",
        role: Role = Role.ENTRY,
        is_answered: bool = True,
    ) -> Order:
        """An order that the venue has accepted, unless it does not answer."""
        intent = self._intent(bot, symbol, side, quantity, price, role)
        order = Order(
            client_order_id=client_order_id(ACCOUNT, intent.decision),
            symbol=symbol,
            side=side,
            quantity=Decimal(quantity),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
        )
        approved = OrderApproved(intent=intent, order=order, epoch=1, expires_at=0)
        situation = {"equity": {"equity": "100000", "peak": "100000"}, "state": "active"}
        self.tell(
            "order_approved",
            client_order_id=order.client_order_id,
            intent=intent,
            epoch=1,
            situation=situation,
        )
        self.record.ledger.record_intent(approved, self.at)
        self.record.ledger.commit()
        self.tell("intent_stored", order=order, reason=intent.reason)
        self.at += MINUTE
        if is_answered:
            name = order.client_order_id
            accepted = OrderAccepted(client_order_id=name, venue_order_id=f"v-{name}", at=self.at)
            self.report(accepted, intent.decision)
        return order

    def denied(self, bot: str, check: str, reason: str) -> None:
        intent = self._intent(bot, "AAPL", Side.BUY, "1", "100", Role.ENTRY)
        self.tell("order_denied", intent=intent, check=check, reason=reason, situation={})

    def filled(self, order: Order, quantity: str, price: str) -> None:
        self.at += MINUTE
        decision = self.record.ledger.decision_of(order.client_order_id)
        assert decision is not None
        fill = Fill(
            execution_id=f"x-{self.at}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            at=self.at,
        )
        self.report(OrderFilled(fill=fill), decision)

    def canceled(self, order: Order) -> None:
        self.at += MINUTE
        decision = self.record.ledger.decision_of(order.client_order_id)
        assert decision is not None
        name = order.client_order_id
        self.report(OrderCanceled(client_order_id=name, at=self.at), decision)

    def report(self, report: Outcome, decision: DecisionKey) -> None:
        recorded = self.record.ledger.record_report(report, self.at, ALPACA_FEES)
        self.record.ledger.commit()
        kind = type(report).__name__
        self.tell("report_stored", report=kind, content=report, decision=decision)
        if recorded.fee is not None:
            self.tell("fee_accrued", fee=recorded.fee)

    def tell(self, event: str, **fields: object) -> None:
        """A line of the journal, as actors write it."""
        if self.tells:
            plain = {name: msgspec.to_builtins(value) for name, value in fields.items()}
            self.record.journal.append({"ts": self.at, "event": event, **plain})

    def stop(self) -> None:
        self.record.end("exit code 0", self.at)
        self.record.close()

    def _intent(
        self, bot: str, symbol: str, side: Side, quantity: str, price: str, role: Role
    ) -> OrderIntent:
        self._signal += 1
        decision = DecisionKey(bot, symbol, "2024-01-02", self._signal, role)
        return OrderIntent(
            decision=decision,
            side=side,
            quantity=Decimal(quantity),
            reason="crossed" if role is Role.ENTRY else "time_stop",
            decided_at=self.at,
            reference_price=Decimal(price),
        )


@contextmanager
def engine_in(folder: Path, out: io.StringIO | None = None) -> Iterator[Engine]:
    """An engine with its bundle, which is closed when it has stopped."""
    files = engine_files(folder)
    record = EngineRecord.open(files, OWNER)
    heard = io.StringIO() if out is None else out
    with session_bundle(files, record, RUN, heard, with_plots=False) as bundle:
        engine = Engine(record)
        engine.begin()
        yield engine
        engine.stop()
        bundle.ended(ExitCode.CLEAN)


def traded(engine: Engine) -> None:
    """A gain, a loss in two executions, a denial, an order that came to nothing, and one held."""
    bought = engine.ordered("fast", Side.BUY, "10", price="100")
    engine.filled(bought, "10", "100.10")
    engine.denied("slow", "quote_is_fresh", "quote is 16 s old, at most 15 s allowed")
    sold = engine.ordered("fast", Side.SELL, "10", price="101", role=Role.EXIT)
    engine.filled(sold, "4", "101.00")
    engine.filled(sold, "6", "101.10")
    engine.canceled(engine.ordered("slow", Side.BUY, "5"))
    engine.denied("slow", "quote_is_fresh", "quote is 40 s old, at most 15 s allowed")
    coins = engine.ordered("slow", Side.BUY, "0.5", symbol="BTC/USD", price="40000")
    engine.filled(coins, "0.5", "40000")
    engine.ordered("slow", Side.BUY, "3", price="99")


def bundle_in(folder: Path) -> Path:
    (only,) = engine_files(folder).runs.iterdir()
    return only


def killed_in(folder: Path) -> Path:
    """The bundle of an engine that traded and was killed, with nothing written after its start."""
    places = engine_files(folder)
    record = EngineRecord.open(places, OWNER)
    made = files_of.begun_folder(places.runs, new_york_date(AT))
    provenance = Provenance(session=made.name, run=RUN, began_at=AT, began_wall_at=1)
    files_of.replace(made / files_of.PROVENANCE, encoded(provenance))
    opening = opening_of(record.ledger, record.journal.synced_seq)
    BundleWriter(made, provenance, opening, places.journal).begin()
    engine = Engine(record)
    engine.begin()
    traded(engine)
    record.close()
    return made


def wait_until(is_so: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = monotonic() + within_s
    while not is_so():
        assert monotonic() < deadline, "it took too long"
        sleep(0.02)
