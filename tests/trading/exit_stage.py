"""An exit desk with a bot that holds 9 AAPL, what it is told, and what it is to do about it."""

from decimal import Decimal
from typing import Any

from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.exit_desk import ExitDesk
from hydra.trading.exit_plans import ExitPlan, ExitTerms
from hydra.trading.exit_rules import ExitRules
from hydra.trading.exit_steps import CloseNow, KeepHits, KeepTrail, Look, TakeOut
from hydra.trading.hit_stops import HitStop
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.order_life import Accepted, Attempted, OrderState, after
from hydra.trading.orders import DecisionKey, Fill, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.sessions import Window
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trail import Trail
from tests.trading.coverage_parts import SESSIONS, account, instant

D = Decimal
DAY = "2024-07-02"
START = instant(f"{DAY} 10:00")
PLAN = ExitPlan(
    bot="one",
    symbols=("AAPL",),
    rules=ExitRules(stop_loss_pct=D(1), take_profit_pct=D(2), time_stop_ns=60 * MINUTE),
    manage_window=Window.parse("09:30", "15:00", "America/New_York"),
    flat_before_close=5 * MINUTE,
)
TERMS = ExitTerms(
    sessions=SESSIONS,
    bots=frozenset({"one", "two"}),
    plans=(PLAN,),
    coins={},
    guard_age_max=150 * SECOND,
    reading_loops_max=20,
    confirm_within=10 * SECOND,
    repair_within=240 * SECOND,
)


class Stage:
    """Time goes on as it is told; machine time and market time are one."""

    def __init__(self, held: str = "9", terms: ExitTerms = TERMS, at: int = START) -> None:
        self.at = at
        self.desk = ExitDesk(terms, at)
        self.position = D(held)
        lots: tuple[Lot, ...] = ()
        if self.position:
            side = Side.BUY if self.position > 0 else Side.SELL
            size = self.position.copy_abs()
            lots = (Lot(side=side, quantity=size, price=D(100), opened_at=at, execution_id="a"),)
        self.on_record = [BotInventory("one", FifoInventory("AAPL", lots))]
        self.desk.recover([], self.on_record, {})
        self.read()

    def read(self, *orders: Any) -> None:
        """The venue shows what is held."""
        self.desk.read(structs.replace(account({"AAPL": str(self.position)}, *orders), at=self.at))

    def passes(self, duration: int) -> None:
        self.at += duration

    def bar(self, low: float = 100.0, high: float = 100.0, after: int = MINUTE) -> bool:
        """Time goes by, and a bar closes."""
        self.at += after
        bar = Bar("AAPL", self.at - after, self.at, low, high, low, high, 1.0)
        return self.desk.bars([bar], self.at)

    def looks(
        self,
        bot: str = "one",
        quantity: str | None = None,
        stop_price: str | None = None,
        price_at: int | None = None,
        hit: HitStop | None = None,
    ) -> bool:
        """A bot's guard looks, at a price of now if nothing else is said."""
        guard = Guard(
            name="exits",
            bot=bot,
            symbol="AAPL",
            quantity=self.position if quantity is None else D(quantity),
            since=START,
            until=instant(f"{DAY} 16:00"),
            looked_at=self.at,
            price_at=self.at if price_at is None else price_at,
            stop_price=None if stop_price is None else D(stop_price),
            hit=hit,
        )
        return self.desk.looked(guard)

    def order(
        self,
        name: str,
        role: Role = Role.EXIT,
        side: Side = Side.SELL,
        quantity: str = "9",
        order_type: OrderType = OrderType.MARKET,
        signal: int = 7,
    ) -> DecisionKey:
        """One of its bot's, approved and accepted."""
        decision = DecisionKey("one", "AAPL", DAY, signal, role)
        content = Order(
            client_order_id=name,
            symbol="AAPL",
            side=side,
            quantity=D(quantity),
            order_type=order_type,
            time_in_force=TimeInForce.GTC,
            stop_price=D(99) if order_type is OrderType.STOP else None,
            limit_price=D(110) if order_type is OrderType.LIMIT else None,
        )
        self.desk.approved(decision, content, self.at)
        self.desk.learned(decision, name, Accepted(f"v-{name}"), None, self.at)
        return decision

    def filled(self, decision: DecisionKey, name: str, quantity: str) -> None:
        """An execution of it, which also becomes what is held."""
        side = Side.BUY if decision.role is Role.ENTRY else Side.SELL
        fill = Fill(
            execution_id=f"x-{name}-{quantity}",
            client_order_id=name,
            symbol="AAPL",
            side=side,
            quantity=D(quantity),
            price=D(100),
            at=self.at,
        )
        self.position += side.sign * D(quantity)
        self.desk.learned(decision, name, fill, None, self.at)

    @property
    def look(self) -> Look:
        return self.desk.look(self.at, self.at)

    @property
    def wants(self) -> list[tuple[str, str]]:
        """What it would have done now: what, and why."""
        told = []
        for step in self.look.steps:
            match step:
                case CloseNow():
                    told.append((f"{step.side.value} {step.quantity}", step.reason))
                case TakeOut():
                    told.append((f"cancel {step.decision.signal}", step.reason))
                case KeepTrail() | KeepHits():
                    pass  # nothing of it reaches the venue
                case _:
                    told.append((step.symbol, step.detail))
        return told

    @property
    def puts_on_record(self) -> list[tuple[str, Trail]]:
        """How far which bot's trailing stop has come, as it would say it now."""
        return [(s.bot, s.trail) for s in self.look.steps if isinstance(s, KeepTrail)]

    @property
    def keeps_hits(self) -> list[tuple[HitStop, ...]]:
        """The stops that were hit which it would put on record now."""
        return [step.hits for step in self.look.steps if isinstance(step, KeepHits)]


def attempted(order: Order) -> OrderState:
    """As the record has it."""
    return after(OrderState(order=order), Attempted())
