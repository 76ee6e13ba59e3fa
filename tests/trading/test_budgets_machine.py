"""Eight bots on one day's budgets, beside a reckoning of orders and lots that knows no book."""

from collections import deque
from decimal import Decimal
from random import Random
from typing import NamedTuple, TypeAlias

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

from hydra.trading.budgets import Budgets, grants_for_day
from hydra.trading.exposure import Holding
from hydra.trading.inventory import FifoInventory
from hydra.trading.order_life import (
    Absent,
    Accepted,
    Canceled,
    Expired,
    OrderEvent,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
)
from hydra.trading.orders import Fill, Role, Side
from hydra.trading.risk_book import RiskBook
from hydra.trading.situation import BudgetView, Proposal
from tests.trading.risk_orders import approved, fill, proposal

D = Decimal

BOTS = tuple(f"bot-{number}" for number in range(8))
BUCKETS = {"momentum": BOTS[:3], "options": BOTS[3:6], "crypto": BOTS[6:]}
SYMBOLS = ("AAPL", "MSFT", "TSLA")
DAILY_RISK = D(10_000)
GRANTED = grants_for_day(
    DAILY_RISK,
    {"momentum": D(30), "options": D(40), "crypto": D(30)},
    BUCKETS,
    min_pct=D(5),
    max_pct=D(12),
)
LOSS_LIMIT = D(7_000)
"""Less than all grants together, so that the account's limit is reached as well."""

MARK = D(100)

SAID: tuple[OrderEvent | None, ...] = (
    None,
    None,
    None,
    Accepted("v"),
    Unknown("timed out"),
    Absent("never found"),
    Withheld("gate shut"),
    Rejected("not shortable"),
    Canceled(),
    Expired(),
    Replaced("another"),
)
"""What can be heard of an order; None: that some of it is filled."""


class Enter(NamedTuple):
    """A bot wants to, with a stop so far away."""

    bot: int
    symbol: str
    quantity: int
    distance: int | None


class Leave(NamedTuple):
    """A bot wants to, with some of what it holds."""

    number: int
    share: int


class Hear(NamedTuple):
    """Something is heard of one of the open orders."""

    number: int
    share: int
    price: int
    said: OrderEvent | None


class HearLate(NamedTuple):
    """An execution of an order that is over is heard."""

    number: int
    share: int


class HearAgain(NamedTuple):
    """What was last heard of an order is heard again."""

    number: int
    times: int


class Restart(NamedTuple):
    """Everything is summed up from the record."""


Deed: TypeAlias = Enter | Leave | Hear | HearLate | HearAgain | Restart

SEEDS = st.integers(0, 2**32)
"""A deed is drawn by a generator of its own: Hypothesis repeats itself more than a day does."""


def drawn(random: Random) -> Deed:
    """What happens next."""
    number, share = random.randrange(1_000), random.randint(1, 12)
    match random.choice(DEEDS):
        case "enter":
            distance = random.choice([3, 5, 10, None])
            return Enter(random.randrange(8), random.choice(SYMBOLS), share, distance)
        case "leave":
            return Leave(number, share)
        case "hear":
            return Hear(number, share, random.randint(98, 102), random.choice(SAID))
        case "hear late":
            return HearLate(number, share)
        case "hear again":
            return HearAgain(number, random.randint(1, 3))
        case _:
            return Restart()


DEEDS = (*["enter", "hear"] * 4, *["leave"] * 3, "hear late", "hear again", "restart")


class Lot(NamedTuple):
    quantity: int
    loses: Decimal
    stop: Decimal | None
    entry: Decimal
    name: str


class Reckoned:
    """One order, by what was said of it."""

    def __init__(self, name: str, wanted: Proposal, loses: Decimal) -> None:
        self.name = name
        self.wanted = wanted
        self.working = approved(name, wanted)
        self.loses = loses
        self.remaining = int(wanted.quantity)
        self.executions = 0
        self.known = ""
        self.is_open = True
        self.is_given_up = False
        """As absent: an entry's risk counts on."""
        self.said: list[OrderEvent] = []


class BotsOnOneDaysBudgets(RuleBasedStateMachine):
    """Bots of even number go long, the others short; the market stands still at 100."""

    def __init__(self) -> None:
        super().__init__()
        self.book = RiskBook(D("1.5"))
        for symbol in SYMBOLS:
            self.book.mark(symbol, MARK, 0)
        self.budgets = Budgets(LOSS_LIMIT, GRANTED, {})
        self.orders: list[Reckoned] = []
        self.lots: dict[tuple[str, str], deque[Lot]] = {}
        self.made = dict.fromkeys(BOTS, D(0))

    @rule(seed=SEEDS)
    def go_on(self, seed: int) -> None:
        match deed := drawn(Random(seed)):
            case Enter():
                self.want_to_enter(deed)
            case Leave():
                self.want_to_leave(deed)
            case Hear():
                self.hear(deed)
            case HearLate():
                self.hear_late(deed)
            case HearAgain():
                self.hear_again(deed)
            case Restart():
                self.restart()

    def want_to_enter(self, wish: Enter) -> None:
        number, symbol, quantity, distance = wish
        side = Side.SELL if number % 2 else Side.BUY
        wanted = proposal(
            side,
            quantity,
            bot=BOTS[number],
            symbol=symbol,
            protective_stop=None if distance is None else MARK - side.sign * distance,
        )
        loses = D("1.5") * distance if distance is not None else MARK * (1 + number % 2)

        left = self.budgets.view(wanted.bot, self.book.at_risk())
        loss = self.book.view(wanted).loss_at_stop

        assert loss == quantity * loses
        assert left == self.what_is_left()[wanted.bot]
        limits = (left.bot_left, left.bucket_left, left.day_left)
        if all(limit is not None and loss <= limit for limit in limits):
            self.approve(wanted, loses)

    def want_to_leave(self, wish: Leave) -> None:
        number, share = wish
        held = [key for key, lots in self.lots.items() if lots]
        if not held:
            return
        bot, symbol = held[number % len(held)]
        side = Side.BUY if BOTS.index(bot) % 2 else Side.SELL
        position = sum(lot.quantity for lot in self.lots[bot, symbol])
        leaving = sum(
            each.remaining
            for each in self.orders
            if each.is_open
            and each.wanted.role is Role.EXIT
            and (each.wanted.bot, each.wanted.symbol) == (bot, symbol)
        )
        quantity = min(share, position - leaving)
        if quantity > 0:
            wanted = proposal(side, quantity, bot=bot, symbol=symbol, role=Role.EXIT)
            self.approve(wanted, D(0))

    def approve(self, wanted: Proposal, loses: Decimal) -> None:
        order = Reckoned(f"order-{len(self.orders)}", wanted, loses)
        assert self.book.reserve(order.working)
        self.orders.append(order)

    def say(self, order: Reckoned, event: OrderEvent) -> None:
        order.said.append(event)
        closed = self.book.learned(order.working.decision, order.name, event)
        self.budgets.booked(order.wanted.bot, closed)

    def hear(self, heard: Hear) -> None:
        number, share, price, said = heard
        found = [order for order in self.orders if order.is_open]
        if not found:
            return
        order = found[number % len(found)]
        is_sent = order.known != ""
        is_proven = order.known in ("accepted", "filled")
        match said:
            case None:
                order.known = "filled"
                self.execute(order, min(share, order.remaining), D(price))
                order.is_open = order.remaining > 0
                return
            case Accepted():
                order.known = order.known if is_proven else "accepted"
                said = Accepted(f"v-{order.name}")
            case Unknown():
                order.known = order.known or "unknown"
            case Canceled() | Expired() | Replaced():
                order.is_open, order.known = False, "ended"
            case Rejected() if order.known != "filled":
                order.is_open = False
            case Withheld() if not is_sent:
                order.is_open = False
            case Absent():  # what is proven to live is not given up
                order.is_open = is_proven
                order.is_given_up = not is_proven and order.wanted.role is Role.ENTRY
            case _:
                return  # it cannot be said of this order
        self.say(order, said)

    def execute(self, order: Reckoned, quantity: int, price: Decimal) -> None:
        order.remaining -= quantity
        order.executions += 1
        lots = self.lots.setdefault((order.wanted.bot, order.wanted.symbol), deque())
        name = f"execution-{order.executions}"
        if order.wanted.role is Role.ENTRY:
            price = MARK
            name = f"{order.name}-{name}"
            stop = order.wanted.protective_stop
            lots.append(Lot(quantity, order.loses, stop, price, name))
        else:
            self.close(order.wanted, lots, quantity, price)
        executed = fill(order.working.order, quantity, price)
        self.say(order, structs.replace(executed, execution_id=name))

    def close(self, wanted: Proposal, lots: deque[Lot], quantity: int, price: Decimal) -> None:
        while quantity:
            lot = lots.popleft()
            part = min(lot.quantity, quantity)
            quantity -= part
            self.made[wanted.bot] += part * (price - lot.entry) * -wanted.side.sign
            if part < lot.quantity:
                lots.appendleft(lot._replace(quantity=lot.quantity - part))

    def hear_late(self, heard: HearLate) -> None:
        number, share = heard
        found = [order for order in self.orders if order.known == "ended"]
        if not found:
            return
        order = found[number % len(found)]
        quantity = min(share, order.remaining)
        # Its budget was released, and may be used by now: here it comes while there still is some.
        left = min(structs.astuple(self.what_is_left()[order.wanted.bot]))
        if quantity and order.wanted.role is Role.ENTRY and quantity * order.loses <= left:
            self.execute(order, quantity, MARK)
            order.known = "ended" if order.remaining else "filled"

    def hear_again(self, heard: HearAgain) -> None:
        number, times = heard
        if not self.orders:
            return
        order = self.orders[number % len(self.orders)]
        for _ in range(times):
            assert not self.book.reserve(order.working)
            for event in order.said[-1:]:
                again = isinstance(event, Fill)
                self.book.learned(order.working.decision, order.name, event, is_repeat=again)

    def at_risk(self) -> dict[str, Decimal]:
        """What each bot's orders and lots would lose."""
        risk = dict.fromkeys(BOTS, D(0))
        for order in self.orders:
            counts = order.is_open or order.is_given_up
            risk[order.wanted.bot] += counts * order.remaining * order.loses
        for (bot, _), lots in self.lots.items():
            risk[bot] += sum(lot.quantity * lot.loses for lot in lots)
        return risk

    def what_is_left(self) -> dict[str, BudgetView]:
        used = {bot: risk + max(D(0), -self.made[bot]) for bot, risk in self.at_risk().items()}
        day = LOSS_LIMIT - sum(used.values())
        return {
            bot: BudgetView(
                bot_left=GRANTED.grants[bot] - used[bot],
                bucket_left=GRANTED.shares[bucket] - sum(used[each] for each in bots),
                day_left=day,
            )
            for bucket, bots in BUCKETS.items()
            for bot in bots
        }

    @invariant()
    def no_more_is_used_than_was_granted(self) -> None:
        at_risk, left = self.book.at_risk(), self.what_is_left()
        for bot in BOTS:
            assert self.budgets.view(bot, at_risk) == left[bot]
            assert min(structs.astuple(left[bot])) >= 0

    @invariant()
    def what_is_reserved_is_what_lives_and_is_held(self) -> None:
        assert {**dict.fromkeys(BOTS, D(0)), **self.book.at_risk()} == self.at_risk()
        assert {each.order.client_order_id for each in self.book.open_orders} == {
            order.name for order in self.orders if order.is_open
        }

    def restart(self) -> None:
        """What is summed up from the record is what was kept running."""
        again = RiskBook(D("1.5"))
        for symbol in SYMBOLS:
            again.mark(symbol, MARK, 0)
        known = [self.book.order(order.name) for order in self.orders]
        again.recover(
            {key: holding_of(*key, lots) for key, lots in self.lots.items()},
            [order for order in known if order is not None],
            {},
        )
        wanted = proposal(Side.BUY, 1, bot=BOTS[len(self.orders) % 8], protective_stop=D(95))
        assert again.view(wanted) == self.book.view(wanted)
        assert again.positions == self.book.positions
        assert (again.heat, again.gross_exposure) == (self.book.heat, self.book.gross_exposure)
        self.book = again
        self.budgets = Budgets(LOSS_LIMIT, GRANTED, self.budgets.realised)


def holding_of(bot: str, symbol: str, lots: deque[Lot]) -> Holding:
    side = Side.SELL if BOTS.index(bot) % 2 else Side.BUY
    inventory = FifoInventory(symbol)
    for lot in lots:
        opening = proposal(side, lot.quantity, bot=bot, symbol=symbol)
        executed = fill(approved("any", opening).order, lot.quantity, lot.entry)
        inventory, _ = inventory.apply(structs.replace(executed, execution_id=lot.name))
    return Holding.of(inventory, {lot.name: lot.stop for lot in lots})


def run(max_examples: int) -> None:
    run_state_machine_as_test(
        BotsOnOneDaysBudgets,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=200,
            deadline=None,
            # To make two hundred steps fewer takes longer than a test may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


def test_eight_bots_never_use_more_than_their_budgets_i19_i25_i31_i32_i33() -> None:
    run(max_examples=15)


@pytest.mark.slow
def test_eight_bots_never_use_more_than_their_budgets_on_many_days_i19_i25_i31_i32_i33() -> None:
    run(max_examples=150)
