"""A momentum bot between a guardian and a venue that the test plays: orders, reports, restarts."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import msgspec

from actors.momentum_bot import MomentumBot, MomentumPlan
from hydra.actor import MINUTE
from hydra.testkit import Kit
from hydra.trading.bars import Bar
from hydra.trading.exit_rules import ExitRules
from hydra.trading.hit_stops import text_of
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import (
    DecisionKey,
    Denial,
    Fill,
    Order,
    RecordedOrder,
    Role,
    Side,
    TimeInForce,
    client_order_id,
)
from hydra.trading.protection import Guard
from hydra.trading.resting_stop import asked_out_key
from hydra.trading.sessions import ExchangeSession, SessionTable, Window
from hydra.trading.situation import US_EQUITY_PRICE_STEPS
from hydra.trading.strategies.strategy import Signal
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trail import trail_key
from messages.control import RecordValue
from messages.market import BarClosed, HistoryReported
from messages.orders import (
    CancelIntent,
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    OrderRejected,
    OrderWithheld,
    Outcome,
    ReportStored,
)
from messages.positions import BOOK_CHANGED_TOPIC, BookChanged, BookRecovered, RecoverBook
from messages.protection import GUARDS_TOPIC, GuardReported
from tests.engine.scenery import CLOSE_AT, OPEN_AT

SESSION = ExchangeSession("2016-04-15", OPEN_AT, CLOSE_AT, False)
PRICE, TEN = Decimal(100), Decimal(10)


class AtOnce:
    """A strategy that wants in at every bar, and never out."""

    warm_up = 1

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        return Signal.ENTER_LONG


PLAN = MomentumPlan(
    bot_id="mom_AAPL",
    symbol="AAPL",
    trade_window=Window.parse("00:00", "23:59", "UTC"),
    manage_window=Window.parse("00:00", "23:59", "UTC"),
    sessions=SessionTable((SESSION,)),
    bar_interval=MINUTE,
    order_notional_usd=Decimal(1000),
    quantity_step=Decimal(1),
    time_in_force=TimeInForce.DAY,
    flat_before_close=None,
    max_trades_per_day=1000,
    max_concurrent_positions=1,
    exits=ExitRules(
        stop_loss_pct=Decimal("0.5"), take_profit_pct=Decimal(1), time_stop_ns=1000 * MINUTE
    ),
    price_steps=US_EQUITY_PRICE_STEPS,
    strategy="at_once",
    strategy_factory=lambda _: AtOnce(),
    parameters={},
)


class Sent(msgspec.Struct, kw_only=True):
    """An order that the bot told the guardian of, and what became of it."""

    intent: OrderIntent
    filled: Decimal = Decimal(0)
    is_accepted: bool = False
    is_over: bool = False
    is_denied: bool = False
    is_withheld: bool = False
    is_asked_out: bool = False

    @property
    def role(self) -> Role:
        return self.intent.decision.role

    @property
    def name(self) -> str:
        return client_order_id("account", self.intent.decision)

    @property
    def left(self) -> Decimal:
        return Decimal(0) if self.is_over else self.intent.quantity - self.filled


class StopStage:
    """`sent` is the venue's and the record's truth; what the bot knows it knows from here."""

    def __init__(self, plan: MomentumPlan = PLAN) -> None:
        self.kit = Kit(start_at=OPEN_AT)
        self.plan = plan
        self.sent: list[Sent] = []
        self.fills: list[Fill] = []
        self.inventory = FifoInventory(plan.symbol)
        self.now = OPEN_AT
        self._heard = 0
        self._executions = count(1)
        self._feed = self.kit.probe("feed")
        self._bars: list[Bar] = []
        self._feed.reply_with(lambda _: HistoryReported(bars=tuple(self._bars)))
        self._guardian = self.kit.probe("guardian")
        self._guards = self.kit.probe("guards")
        self.kit.runtime.bus.subscribe(GUARDS_TOPIC, self.kit.runtime.cells[self._guards.ref.path])
        self._persister = self.kit.probe("persister")
        self._forgotten = 0
        self.bot = self.kit.start(
            MomentumBot,
            plan=plan,
            guardian=self._guardian.ref,
            feed=self._feed.ref,
            persister=self._persister.ref,
        )
        self.listen()

    # What the world does

    def bar(self, low: str, high: str, close: str, *, is_backfill: bool = False) -> None:
        """The next minute. `is_backfill`: it was missed, and is told as history."""
        bar = self._next_bar(float(low), float(high), float(close))
        self.kit.tell(self.bot, BarClosed(bar=bar, is_backfill=is_backfill))
        self.listen()

    def misses_a_bar(self) -> None:
        """The next minute, of which nobody tells the bot; the data feed has all of them."""
        self._next_bar(100.0, 100.0, 100.0)

    def missed(self, start_at: int) -> None:
        """A minute of before, at the price of before, is told as history, now."""
        price = float(PRICE)
        end_at = start_at + MINUTE
        bar = Bar(self.plan.symbol, start_at, end_at, price, price, price, price, volume=1e3)
        self.kit.tell(self.bot, BarClosed(bar=bar, is_backfill=True))
        self.listen()

    def accept(self, order: Sent) -> None:
        order.is_accepted = True
        self._report(
            order, OrderAccepted(client_order_id=order.name, venue_order_id="v", at=self.now)
        )

    def deny(self, order: Sent, check: str = "a_check") -> None:
        order.is_over = order.is_denied = True
        denied = OrderDenied(intent=order.intent, denial=Denial(check, "no"))
        self.kit.tell(self.bot, denied)
        self.listen()

    def reject(self, order: Sent) -> None:
        order.is_over = True
        self._report(order, OrderRejected(client_order_id=order.name, reason="no", at=self.now))

    def withhold(self, order: Sent) -> None:
        """By the gateway, which sees nothing of the venue for a moment."""
        order.is_over = order.is_withheld = True
        self._report(order, OrderWithheld(client_order_id=order.name, reason="no", at=self.now))

    def cancel(self, order: Sent) -> None:
        """By whomever."""
        order.is_over = True
        self._report(order, OrderCanceled(client_order_id=order.name, at=self.now))

    def fill(self, order: Sent, quantity: Decimal, price: Decimal = PRICE) -> None:
        fill = Fill(
            execution_id=f"x{next(self._executions)}",
            client_order_id=order.name,
            symbol=self.plan.symbol,
            side=order.intent.side,
            quantity=quantity,
            price=price,
            at=self.now,
        )
        self.fills.append(fill)
        self.inventory, _ = self.inventory.apply(fill)
        order.filled += quantity
        order.is_over = order.filled == order.intent.quantity
        self._report(order, OrderFilled(fill=fill))

    def assign(self, quantity: Decimal) -> None:
        """An operator says that so much is the bot's."""
        lot = Lot(
            side=Side.BUY,
            quantity=quantity,
            price=PRICE,
            opened_at=self.now,
            execution_id="assigned:1",
        )
        self.inventory = FifoInventory(self.plan.symbol, (*self.inventory.lots, lot))
        self.change_record()

    def change_record(self) -> None:
        """The bot is told that what is on record of it is new."""
        self.kit.publish(BOOK_CHANGED_TOPIC, BookChanged())
        self.listen()

    def crash(self) -> None:
        """The bot fails, and starts again from what is on record."""
        self.kit.kill(self.bot)
        self.kit.runtime.run_until(lambda: self.kit.status(self.bot) == "running", within=10**10)
        self.listen()

    def forget_values(self) -> None:
        """What the bot put on record beside its orders did not come to be durable."""
        self._forgotten = len(self._persister.told)

    def answer_everything(self) -> None:
        """The venue takes what it is sent and does what it is asked, until nothing is left."""
        for _ in range(20):
            waiting: list[Callable[[], None]] = []
            for order in self.live():
                if not order.is_accepted:
                    waiting.append(partial(self.accept, order))
                elif order.is_asked_out:
                    waiting.append(partial(self.cancel, order))
            if not waiting:
                return
            waiting[0]()
        raise AssertionError("it never comes to rest")

    # What there is

    @property
    def position(self) -> Decimal:
        return self.inventory.position

    def live(self, *roles: Role) -> list[Sent]:
        return [
            each for each in self.sent if not each.is_over and (not roles or each.role in roles)
        ]

    @property
    def being_sold(self) -> Decimal:
        return sum((each.left for each in self.live() if each.intent.side is Side.SELL), Decimal(0))

    @property
    def looks(self) -> list[Guard]:
        """Each look that was told of."""
        return [each.guard for each in self._guards.told if isinstance(each, GuardReported)]

    @property
    def guards(self) -> list[tuple[Decimal, int | None]]:
        """What each of them guards, and when it was."""
        return [(each.quantity, each.looked_at) for each in self.looks]

    @property
    def trails(self) -> list[str]:
        """How far its trailing stop had come, each time that it put that on record."""
        key = trail_key(self.plan.bot_id)
        put = [each for each in self._persister.told if isinstance(each, RecordValue)]
        return [each.value for each in put if each.key == key]

    def _value(self, key: str) -> str:
        """What the bot put on record last under this key."""
        told = self._persister.told[self._forgotten :]
        put = [each for each in told if isinstance(each, RecordValue)]
        return next((each.value for each in reversed(put) if each.key == key), "")

    def state(self) -> Any:
        return self.kit.state(self.bot)

    def listen(self) -> None:
        """Take in what the bot told the guardian, and answer its questions."""
        while self._heard < len(self._guardian.told):
            message = self._guardian.told[self._heard]
            self._heard += 1
            match message:
                case OrderIntent():
                    self.sent.append(Sent(intent=message))
                case CancelIntent(decision=decision):
                    self._of(decision).is_asked_out = True
                case RecoverBook():
                    self.kit.tell(self.bot, self._book(message))
                case _:
                    raise AssertionError(message)

    def _next_bar(self, low: float, high: float, close: float) -> Bar:
        start_at, self.now = self.now, self.now + MINUTE
        self.kit.advance(self.now - self.kit.now)
        bar = Bar(self.plan.symbol, start_at, self.now, close, high, low, close, 1e3)
        self._bars.append(bar)
        return bar

    def _of(self, decision: DecisionKey) -> Sent:
        # What was denied is not on record: after a crash its number is given once more.
        found = [each for each in self.sent if each.intent.decision == decision]
        assert len([each for each in found if not each.is_denied]) <= 1, decision
        return found[-1]

    def _report(self, order: Sent, report: Outcome) -> None:
        self.kit.tell(self.bot, ReportStored(decision=order.intent.decision, report=report))
        self.listen()

    def _book(self, question: RecoverBook) -> BookRecovered:
        return BookRecovered(
            orders=tuple(_recorded(each) for each in self.sent if not each.is_denied),
            fills=tuple(self.fills),
            held=(BotInventory(self.plan.bot_id, self.inventory),),
            trail=self.trails[-1] if self.trails else "",
            hit_stops=text_of([each.hit for each in self.looks if each.hit is not None][-1:]),
            asked_out=self._value(asked_out_key(self.plan.bot_id)),
            asked_by=question.asked_by,
            number=question.number,
        )


def _recorded(sent: Sent) -> RecordedOrder:
    intent = sent.intent
    order = Order(
        client_order_id=sent.name,
        symbol=intent.decision.symbol,
        side=intent.side,
        quantity=intent.quantity,
        order_type=intent.order_type,
        time_in_force=intent.time_in_force,
        stop_price=intent.stop_price,
    )
    return RecordedOrder(
        decision=intent.decision,
        order=order,
        is_open=not sent.is_over,
        filled_quantity=sent.filled,
        is_withheld=sent.is_withheld,
    )


def quiet(stage: StopStage) -> None:
    """A minute in which the price stands still."""
    stage.bar("100", "100", "100")


def stop_of(stage: StopStage) -> Sent:
    """The one that rests, or is on its way."""
    (stop,) = stage.live(Role.PROTECT)
    return stop


def replaced(**changes: object) -> StopStage:
    """One whose plan has these."""
    return StopStage(msgspec.structs.replace(PLAN, **changes))


def with_exits(**changes: object) -> StopStage:
    """One whose exit rules have these."""
    return replaced(exits=msgspec.structs.replace(PLAN.exits, **changes))


def bought(stage: StopStage) -> StopStage:
    """With ten shares, bought at 100, and their stop at the venue where it is to rest there."""
    quiet(stage)
    stage.answer_everything()
    stage.fill(stage.sent[0], TEN)
    stage.answer_everything()
    return stage
