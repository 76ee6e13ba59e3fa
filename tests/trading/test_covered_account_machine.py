"""Anything that can be told of an account, in any order: coverage by what has changed is the whole.

Two desks are told the same. One keeps what it found and matches what has changed; the other one
matches everything at every look. At every look they find the same, and want the same steps.
"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.causes import OPERATOR_CLOSE_ONLY, OPERATOR_HALT, THROTTLE, UNMANAGED
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.durations import HOUR, MINUTE, SECOND
from hydra.trading.exit_desk import ExitDesk
from hydra.trading.fees import Fee
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.order_life import (
    Accepted,
    Canceled,
    OrderState,
    OrderStatus,
    Rejected,
    after,
)
from hydra.trading.orders import DecisionKey, Fill, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.venue_clock import SKEW
from hydra.trading.venue_view import VenueOrder, VenuePosition, VenueSnapshot
from tests.trading.coverage_parts import SESSIONS, account, instant
from tests.trading.exit_stage import PLAN, TERMS, attempted
from tests.trading.plain_account import PlainDesk

D = Decimal
DAY = "2024-07-02"
STARTS = [
    *(f"{DAY} 09:40", f"{DAY} 09:40", f"{DAY} 15:50", f"{DAY} 08:00", f"{DAY} 17:00"),
    *("2024-07-03 12:50", "2024-07-26 15:55"),
]
"""Also before a half day's close, at the end of the calendar, and while the market is closed."""
COIN, CONTRACT = "BTC/USD", "SPY240703C00550000"
SYMBOLS = ["AAPL", "MSFT", COIN, CONTRACT]
BOTS = ["one", "two", "gone"]
MACHINE_TERMS = structs.replace(
    TERMS,
    plans=(PLAN, structs.replace(PLAN, bot="two", symbols=("MSFT", COIN))),
    coins={COIN: CoinTerms(least_value_usd=D(10))},
    option_calendar=SESSIONS,
    reading_loops_max=2,
)
HALT = OPERATOR_HALT.cause(since=0, detail="looks wrong")
CAUSES = [
    (),
    (HALT,),
    (OPERATOR_CLOSE_ONLY.cause(since=0, detail="enough"),),
    (structs.replace(HALT, bot="one"),),
    (structs.replace(HALT, symbol="AAPL"), UNMANAGED.cause(since=0, subject="MSFT", detail="")),
    (structs.replace(HALT, symbol="SPY"), THROTTLE.cause(since=0, subject="two", detail="")),
]
DURATIONS = [
    *(1, SECOND, 9 * SECOND, 11 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 149 * SECOND),
    *(150 * SECOND + 1, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, -1, -SECOND),
]
QUANTITIES = [1, 2, 5, 9]

bots, symbols = st.sampled_from(BOTS), st.sampled_from(SYMBOLS)
sides, quantities = st.sampled_from(Side), st.sampled_from(QUANTITIES)
looks = st.sampled_from([True, True, True, False])
seldom = st.sampled_from([True, *[False] * 9])


class TwoDesks(RuleBasedStateMachine):
    """All times are one: market time is machine time."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self.number = 0
        self.until: dict[str, int] = {}
        """How long the guards of each bot protect."""
        self.states: dict[str, tuple[DecisionKey, OrderState]] = {}
        """All orders that ever were, as the record has them."""
        self.heard: dict[str, int] = {}
        """When each was last heard of."""
        self.shown: VenueSnapshot | None = None
        """By the last reading."""
        self.fills: list[Fill] = []
        self.listed: list[VenueOrder] = []
        """Of nobody known."""
        self.is_due = False
        """The desks are to look before anything else is told."""

    def both(self, method: str, *args: Any) -> Any:
        """Tell it to both, who say the same of it."""
        one, other = (getattr(desk, method)(*args) for desk in self.desks)
        assert one == other
        return one

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    @invariant()
    def both_find_the_same(self) -> None:
        if not self.is_due:
            return
        one, other = (desk.look(self.at, self.at) for desk in self.desks)
        assert one.coverage == other.coverage
        assert list(one.uncovered.items()) == list(other.uncovered.items())
        assert list(one.taken_over.items()) == list(other.taken_over.items())
        assert list(one.waits.items()) == list(other.waits.items())
        assert one.steps == other.steps
        held, plainly = (list(desk.positions.items()) for desk in self.desks)
        assert held == plainly

    # The market

    @rule(duration=st.sampled_from(DURATIONS))
    def time_passes(self, duration: int) -> None:
        self.at += duration
        self.is_due = True

    @rule(
        symbol=symbols,
        price=st.sampled_from([0.5, 3.0, 100.0, 97.0, 103.0]),
        after=st.sampled_from([0, SECOND, MINUTE]),
        looks=looks,
    )
    def a_bar_closes(self, symbol: str, price: float, after: int, looks: bool) -> None:
        self.at += after
        bar = Bar(symbol, self.at - MINUTE, self.at, price, price, price, price, 1.0)
        self.both("bars", [bar], self.at)
        self.is_due = looks

    # The bots

    @rule(
        bot=bots,
        symbol=symbols,
        size=st.sampled_from([None, None, None, 0, 1, -5]),
        name=st.sampled_from(["exits", "exits", "second lot", "exit_bot"]),
        ages=st.sampled_from([(0, 0)] * 6 + [(SECOND, MINUTE), (200 * SECOND, 0), (-SECOND, 0)]),
        is_new=seldom,
        is_moved=seldom,
        looks=looks,
    )
    def a_guard_looks(
        self,
        bot: str,
        symbol: str,
        size: int | None,
        name: str,
        ages: tuple[int, int],
        is_new: bool,
        is_moved: bool,
        looks: bool,
    ) -> None:
        held = self.plain.positions.get((bot, symbol), D(0))
        if is_moved:
            self.until[bot] = self.at + MINUTE
        guard = self.guard(bot, symbol, held if size is None else D(size))
        looked_at = None if is_new else self.at - ages[0]
        of_then = structs.replace(guard, name=name, looked_at=looked_at, price_at=self.at - ages[1])
        self.both("looked", of_then)
        self.is_due = looks

    def guard(self, bot: str, symbol: str, quantity: Decimal) -> Guard:
        return Guard(
            name="exits",
            bot=bot,
            symbol=symbol,
            quantity=quantity,
            since=0,
            until=self.until[bot],
            looked_at=self.at,
            price_at=self.at,
        )

    @rule(
        after=st.sampled_from([0, MINUTE, 2 * MINUTE]),
        is_early=seldom,
        by=st.sampled_from([SECOND, SKEW + SECOND]),
    )
    def all_bots_look(self, after: int, is_early: bool, by: int) -> None:
        """One in ten looks is of a clock that is fast."""
        self.at += after
        looked_at = self.at + is_early * by
        for (bot, symbol), quantity in self.plain.positions.items():
            guard = self.guard(bot, symbol, quantity)
            self.both("looked", structs.replace(guard, looked_at=looked_at))
        self.is_due = True

    @rule(bot=bots, decides=st.booleans(), looks=looks)
    def a_bot_fails_or_comes_again(self, bot: str, decides: bool, looks: bool) -> None:
        self.both("decided" if decides else "quarantined", bot, self.at)
        self.is_due = looks

    # The orders

    @rule(
        bot=bots,
        symbol=symbols,
        side=sides,
        quantity=quantities,
        kind=st.integers(0, 5),
        role=st.sampled_from([Role.ENTRY, Role.EXIT, Role.PROTECT, Role.PROTECT]),
        replaces=st.one_of(st.none(), st.none(), st.integers(0, 99)),
        is_odd=seldom,
        is_accepted=looks,
        looks=looks,
    )
    def an_order_is_approved(
        self,
        bot: str,
        symbol: str,
        side: Side,
        quantity: int,
        kind: int,
        role: Role,
        replaces: int | None,
        is_odd: bool,
        is_accepted: bool,
        looks: bool,
    ) -> None:
        # What it takes the place of is in its own symbol, but for one in ten.
        others = [
            name
            for name, (_, state) in self.states.items()
            if is_odd or state.order.symbol == symbol
        ]
        name = self.name("order-")
        order = order_of(
            name,
            symbol,
            side,
            quantity,
            kind,
            others[replaces % len(others)] if replaces is not None and others else None,
        )
        decision = DecisionKey(bot, symbol, DAY, self.number, role)
        self.both("approved", decision, order, self.at)
        self.states[name], self.heard[name] = (decision, attempted(order)), self.at
        if is_accepted:
            self.learn(name, Accepted(f"venue-{name}"))
        self.is_due = looks

    def learn(self, name: str, event: Any, fee: Fee | None = None) -> None:
        decision, state = self.states[name]
        self.states[name], self.heard[name] = (decision, after(state, event)), self.at
        self.both("learned", decision, name, event, fee, self.at)

    @property
    def open_orders(self) -> list[str]:
        return [name for name, (_, state) in self.states.items() if state.status.is_open]

    @precondition(lambda self: self.open_orders)
    @rule(which=st.integers(0, 99), is_over=looks, looks=looks)
    def an_order_is_accepted_or_over(self, which: int, is_over: bool, looks: bool) -> None:
        name = self.open_orders[which % len(self.open_orders)]
        state = self.states[name][1]
        ends = Rejected("no") if state.status is OrderStatus.ATTEMPTED else Canceled()
        self.learn(name, ends if is_over else Accepted(f"venue-{name}"))
        self.is_due = looks

    @precondition(lambda self: self.open_orders)
    @rule(which=st.integers(0, 99), is_whole=st.booleans(), is_odd=seldom, looks=looks)
    def an_order_is_filled(self, which: int, is_whole: bool, is_odd: bool, looks: bool) -> None:
        name = self.open_orders[which % len(self.open_orders)]
        state = self.states[name][1]
        order = state.order
        rest = order.quantity - state.filled_quantity
        # One name of two executions of two orders: nobody does that, and all the same.
        its_own = {each.execution_id for each in self.fills if each.client_order_id == name}
        taken = [each.execution_id for each in self.fills if each.execution_id not in its_own]
        fill = Fill(
            execution_id=taken[-1] if is_odd and taken else self.name("fill-"),
            client_order_id=name,
            symbol=order.symbol,
            side=order.side,
            quantity=rest if is_whole else min(rest, D(1)),
            price=D(100),
            at=self.at,
        )
        self.fills.append(fill)
        self.learn(name, fill, self.fee_of(fill))
        self.is_due = looks

    def fee_of(self, fill: Fill) -> Fee | None:
        if fill.symbol != COIN or fill.side is Side.SELL:
            return None
        amount = D("0.01") * fill.quantity
        return Fee(
            client_order_id=fill.client_order_id,
            execution_id=fill.execution_id,
            bot=self.states[fill.client_order_id][0].bot,
            symbol=COIN,
            asset=COIN,
            amount=amount,
            most=amount,
            at=self.at,
        )

    # The venue

    @rule(
        off=st.dictionaries(symbols, st.sampled_from([D(0), D(1), D(-9)]), max_size=1),
        lag=st.sampled_from([0, 0, SECOND]),
        back=st.sampled_from([MINUTE, HOUR]),
        unlisted=st.sets(st.integers(0, 5), max_size=2),
        is_queued=st.sampled_from([False, False, True]),
        no_number=seldom,
        is_behind=seldom,
        looks=looks,
    )
    def the_venue_shows_the_account(
        self,
        off: dict[str, Decimal],
        lag: int,
        back: int,
        unlisted: set[int],
        is_queued: bool,
        no_number: bool,
        is_behind: bool,
        looks: bool,
    ) -> None:
        """It shows what is held or something else, and most orders, or what it showed before."""
        at = self.at - lag
        if is_behind and self.shown is not None:
            self.both("read", structs.replace(self.shown, at=at, since=at - back))
            self.is_due = looks
            return
        held = dict(off)
        for (_, symbol), book in self.plain.books.items():
            held[symbol] = held.get(symbol, D(0)) + book.position
        if no_number:
            held["MSFT"] = D("NaN")
        ours = [
            VenueOrder(
                order=state.order,
                venue_order_id=f"venue-{name}",
                status=state.status,
                filled_quantity=state.filled_quantity,
                at=self.heard[name],
                is_queued=is_queued,
            )
            for name, (_, state) in self.states.items()
            if state.status is not OrderStatus.ATTEMPTED
        ]
        self.shown = VenueSnapshot(
            at=at,
            since=at - back,
            account=account({}).account,
            positions=tuple(
                VenuePosition(symbol=symbol, quantity=quantity)
                for symbol, quantity in held.items()
                if quantity
            ),
            orders=(
                *(each for number, each in enumerate(ours) if number not in unlisted),
                *self.listed,
            ),
            fills=tuple(fill for fill in self.fills if at - back <= fill.at <= at),
        )
        self.both("read", self.shown)
        self.is_due = looks

    @rule(
        symbol=symbols,
        side=sides,
        kind=st.integers(0, 5),
        is_odd=seldom,
        has_name=st.booleans(),
        unread=st.sampled_from(["", "", "class is 'oto'"]),
    )
    def somebody_places_an_order(
        self, symbol: str, side: Side, kind: int, is_odd: bool, has_name: bool, unread: str
    ) -> None:
        """The next reading has it; one in ten has a name of ours, wherever it is in."""
        name = self.name("by-hand-") if has_name else ""
        if is_odd and self.states:
            name = list(self.states)[-1]
        placed = VenueOrder(
            order=order_of(name, symbol, side, 2, kind, None),
            venue_order_id=self.name("venue-"),
            status=OrderStatus.ACCEPTED,
            filled_quantity=D(0),
            at=self.at,
            unread=unread,
        )
        self.listed = [*self.listed[-2:], placed]
        self.is_due = False

    @rule(loops=st.sampled_from([1, 1, 3]), looks=looks)
    def loops_run(self, loops: int, looks: bool) -> None:
        for _ in range(loops):
            self.both("loop_ran")
        self.is_due = looks

    # The record, and what stands

    @initialize(start=st.sampled_from(STARTS))
    def something_is_held(self, start: str) -> None:
        self.at = instant(start)
        plain = PlainDesk(MACHINE_TERMS, self.at)
        self.desks = (ExitDesk(MACHINE_TERMS, self.at), plain)
        self.plain = plain.plain
        ends = instant(f"{DAY} 16:00")
        self.until = {"one": ends, "two": self.at + 10 * MINUTE, "gone": self.at + HOUR}
        held = [("one", "AAPL", 9), ("two", "MSFT", -5), ("two", COIN, 1), ("one", CONTRACT, 2)]
        self.recover_with({(bot, symbol): D(held) for bot, symbol, held in held}, {}, [])
        self.both("read", account({symbol: D(held) for _, symbol, held in held}, at=self.at))
        self.is_due = True

    def recover_with(
        self,
        held: dict[tuple[str, str], Decimal],
        excluded: dict[str, Decimal],
        names: list[str],
        excluded_orders: frozenset[str] = frozenset(),
    ) -> None:
        orders = [self.states[name] for name in names]
        inventories = [
            BotInventory(bot, inventory(symbol, quantity, self.at))
            for (bot, symbol), quantity in held.items()
        ]
        self.both("recover", orders, inventories, excluded, excluded_orders)

    @rule(
        held=st.one_of(
            st.none(),
            st.dictionaries(
                st.tuples(bots, symbols), st.sampled_from([D(9), D(-5), D("0.004")]), max_size=5
            ),
        ),
        excluded=st.dictionaries(symbols, st.sampled_from([D(1), D(9)]), max_size=1),
        forgotten=st.sets(st.integers(0, 5), max_size=1),
        left_alone=st.sets(st.integers(0, 5), max_size=2),
        asks=st.booleans(),
        looks=looks,
    )
    def the_record_is_read(
        self,
        held: dict[tuple[str, str], Decimal] | None,
        excluded: dict[str, Decimal],
        forgotten: set[int],
        left_alone: set[int],
        asks: bool,
        looks: bool,
    ) -> None:
        if asks:
            self.both("asked_for_record")
        if held is None:
            held = {place: book.position for place, book in self.plain.books.items()}
        names = [name for number, name in enumerate(self.states) if number not in forgotten]
        shown = () if self.plain.reading is None else self.plain.reading.orders
        excluded_orders = frozenset(
            each.venue_order_id for number, each in enumerate(shown) if number in left_alone
        )
        self.recover_with(held, excluded, names, excluded_orders)
        self.is_due = looks

    @rule(causes=st.sampled_from(CAUSES), is_lost=seldom, stands_back=st.booleans(), looks=looks)
    def something_stands(self, causes: Any, is_lost: bool, stands_back: bool, looks: bool) -> None:
        for desk in self.desks:
            desk.causes = causes
            desk.is_lost = is_lost
            desk.stands_back = "trading is halted" if stands_back else ""
        self.is_due = looks


def order_of(
    name: str, symbol: str, side: Side, quantity: int, kind: int, replaces: str | None
) -> Order:
    """One of six kinds: at the market, a limit, a stop for the day, and stops until canceled."""
    kinds = [OrderType.MARKET, OrderType.LIMIT, *[OrderType.STOP] * 4]
    return Order(
        client_order_id=name,
        symbol=symbol,
        side=side,
        quantity=D(quantity),
        order_type=kinds[kind],
        time_in_force=TimeInForce.DAY if kind in (1, 2) else TimeInForce.GTC,
        limit_price=D(110) if kind == 1 else None,
        stop_price=D(90) if kind > 1 else None,
        replaces=replaces,
    )


def inventory(symbol: str, quantity: Decimal, at: int) -> FifoInventory:
    if not quantity:
        return FifoInventory(symbol)
    lot = Lot(
        side=Side.BUY if quantity > 0 else Side.SELL,
        quantity=quantity.copy_abs(),
        price=D(100),
        opened_at=at,
        execution_id="recorded",
    )
    return FifoInventory(symbol, (lot,))


def run(max_examples: int, steps: int) -> None:
    run_state_machine_as_test(
        TwoDesks,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=steps,
            deadline=None,
            # To make so many steps fewer takes longer than a test may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


def test_what_is_found_by_what_has_changed_is_what_is_found_of_the_whole_i30() -> None:
    run(max_examples=20, steps=40)


@pytest.mark.slow
def test_what_is_found_by_what_has_changed_is_the_whole_many_times_over_i30() -> None:
    run(max_examples=120, steps=60)
