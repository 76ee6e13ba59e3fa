"""The risk book beside a venue of its own mind, of which it hears late.

The venue fills what it likes of the orders that it has, in any order. It takes a replacement while
what that replaces is live, and lets both trade until it ends the old one, or does not. Of one order
it tells what happened in the order in which it did; between orders there is no order.
"""

from collections import deque
from decimal import Decimal
from random import Random
from typing import NamedTuple, TypeAlias, assert_never

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

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
)
from hydra.trading.orders import Fill, OrderType, Role, Side
from hydra.trading.risk_book import RiskBook
from hydra.trading.situation import BookView, Proposal
from tests.trading.risk_orders import approved, fill, proposal

D = Decimal

MARK = D(100)


class Sent:
    """One order on its way to the venue, there, or over; and what of it was not heard yet."""

    def __init__(self, name: str, wanted: Proposal, replaces: "Sent | None") -> None:
        self.name = name
        self.wanted = wanted
        self.working = approved(name, wanted)
        self.replaces = replaces
        self.left = int(wanted.quantity)
        self.executions = 0
        self.is_live = False
        self.is_over = False
        self.unheard: deque[OrderEvent] = deque()

    @property
    def is_waiting(self) -> bool:
        """The venue has yet to take it."""
        return not self.is_live and not self.is_over


class Venue:
    """What is true."""

    def __init__(self) -> None:
        self.orders: list[Sent] = []
        self.positions: dict[tuple[str, str], int] = {}

    def take(self, order: Sent) -> None:
        if not order.is_waiting:
            return
        if order.replaces is not None and not order.replaces.is_live:
            self.end(order, Rejected("the order is not open"))
            return
        order.is_live = True
        order.unheard.append(Accepted(f"v-{order.name}"))

    def fill(self, order: Sent, share: int) -> None:
        quantity = min(share, order.left)
        if not order.is_live or quantity <= 0:
            return
        order.left -= quantity
        order.executions += 1
        key = (order.wanted.bot, order.wanted.symbol)
        self.positions[key] = self.positions.get(key, 0) + order.wanted.side.sign * quantity
        order.unheard.append(fill(order.working.order, quantity, MARK, order.executions))
        if order.left == 0:
            order.is_live, order.is_over = False, True

    def end(self, order: Sent, said: OrderEvent) -> None:
        order.is_live, order.is_over = False, True
        order.unheard.append(said)

    def position(self, symbol: str) -> int:
        return sum(held for (_, other), held in self.positions.items() if other == symbol)

    def may_trade(self, side: Side, symbol: str, bot: str | None = None) -> int:
        """The most that all orders of this side, of one bot or of all, may still trade."""
        return sum(
            order.left
            for order in self.orders
            if not order.is_over
            and (order.wanted.side, order.wanted.symbol) == (side, symbol)
            and bot in (None, order.wanted.bot)
        )


class Propose(NamedTuple):
    """`offset`: of a limit, from the mark; None: at the market. `replaces`: one of the orders."""

    bot: str
    symbol: str
    side: Side
    quantity: int
    offset: int | None
    replaces: int | None


class Take(NamedTuple):
    number: int


class Execute(NamedTuple):
    number: int
    share: int


class ExecuteAll(NamedTuple):
    side: Side


class End(NamedTuple):
    number: int
    said: OrderEvent


class LoseSight(NamedTuple):
    number: int


class NeverArrive(NamedTuple):
    number: int


class Hear(NamedTuple):
    number: int
    times: int


class HearAll(NamedTuple):
    pass


Deed: TypeAlias = (
    Propose | Take | Execute | ExecuteAll | End | LoseSight | NeverArrive | Hear | HearAll
)

BOTS = ("one", "two", "three")
SYMBOLS = ("AAPL", "MSFT")
ENDS: tuple[OrderEvent, ...] = (Canceled(), Expired(), Replaced("another"))
SEEDS = st.integers(0, 2**32)
"""A deed is drawn by a generator of its own: Hypothesis repeats itself more than a venue does."""


def drawn(random: Random, bots: tuple[str, ...], symbols: tuple[str, ...]) -> Deed:
    """What somebody does next: a bot, the venue, or the wire between them."""
    number, side = random.randrange(1_000), random.choice(list(Side))
    match random.choice(DEEDS):
        case "propose":
            return Propose(
                bot=random.choice(bots),
                symbol=random.choice(symbols),
                side=side,
                quantity=random.randint(1, 10),
                offset=random.choice([None, random.randint(-10, 10)]),
                replaces=random.choice([None, number]),
            )
        case "take":
            return Take(number)
        case "execute":
            return Execute(number, random.randint(1, 5))
        case "execute all":
            return ExecuteAll(side)
        case "end":
            return End(number, random.choice(ENDS))
        case "lose sight":
            return LoseSight(number)
        case "never arrive":
            return NeverArrive(number)
        case "hear":
            return Hear(number, random.randint(1, 3))
        case _:
            return HearAll()


DEEDS = (
    *["propose", "take", "execute", "hear"] * 8,
    *["lose sight", "never arrive", "end", "end"],
    *["execute all", "hear all"],
)


class BookBesideAVenue(RuleBasedStateMachine):
    """What both machines below have: a venue, a book, and what happens between them."""

    def __init__(self) -> None:
        super().__init__()
        self.venue = Venue()
        self.book = RiskBook(D("1.5"))
        for symbol in SYMBOLS:
            self.book.mark(symbol, MARK, 0)
        self.holdings: dict[tuple[str, str], Holding] = {}

    def may_pass(self, wanted: Proposal, view: BookView) -> bool:
        raise NotImplementedError

    def wanted(self, wish: Propose, replaced: Sent | None) -> Proposal:
        """An order at the market, or at a limit so far from it."""
        made = proposal(wish.side, wish.quantity, bot=wish.bot, symbol=wish.symbol)
        if replaced is not None:
            made = structs.replace(made, replaces=replaced.name)
        if wish.offset is not None:
            limit = MARK + wish.offset
            made = structs.replace(made, order_type=OrderType.LIMIT, limit_price=limit)
        return made

    def go_on(self, deed: Deed) -> None:
        match deed:
            case Propose():
                self.propose(deed)
            case ExecuteAll():
                for order in self.venue.orders:
                    if order.wanted.side is deed.side:
                        self.venue.take(order)
                        self.venue.fill(order, order.left)
            case HearAll():
                for order in self.venue.orders:
                    self.hear(order, len(order.unheard))
            case _:
                self.happen_to_one(deed)

    def happen_to_one(self, deed: Take | Execute | End | LoseSight | NeverArrive | Hear) -> None:
        match deed:
            case Take() | NeverArrive():
                found = [each for each in self.venue.orders if each.is_waiting]
            case Execute() | End():
                found = [each for each in self.venue.orders if each.is_live]
            case LoseSight():
                found = [each for each in self.venue.orders if not each.is_over]
            case Hear():
                found = [each for each in self.venue.orders if each.unheard]
            case _:
                assert_never(deed)
        if found:
            self.happen_to(found[deed.number % len(found)], deed)

    def happen_to(
        self, order: Sent, deed: Take | Execute | End | LoseSight | NeverArrive | Hear
    ) -> None:
        match deed:
            case Take():
                self.venue.take(order)
            case Execute():
                self.venue.fill(order, deed.share)
            case End():
                self.venue.end(order, deed.said)
            case LoseSight():
                order.unheard.append(Unknown("timed out"))
            case NeverArrive():
                order.unheard.append(Unknown("timed out"))
                self.venue.end(order, Absent("never found"))
            case Hear():
                self.hear(order, deed.times)
            case _:
                assert_never(deed)

    def propose(self, wish: Propose) -> None:
        replaced = None if wish.replaces is None else self.to_be_replaced(wish, wish.replaces)
        wanted = self.wanted(wish, replaced)
        if not self.may_pass(wanted, self.book.view(wanted)):
            return
        order = Sent(f"order-{len(self.venue.orders)}", wanted, replaced)
        assert self.book.reserve(order.working)
        self.venue.orders.append(order)

    def to_be_replaced(self, wish: Propose, number: int) -> Sent | None:
        """Mostly one that can be, now and then any."""
        found = self.venue.orders
        if number % 4:
            found = [
                each
                for each in found
                if not each.is_over
                and (each.wanted.bot, each.wanted.symbol, each.wanted.side)
                == (wish.bot, wish.symbol, wish.side)
            ]
        return found[number % len(found)] if found else None

    def hear(self, order: Sent, times: int) -> None:
        for _ in range(min(times, len(order.unheard))):
            event = order.unheard.popleft()
            self.book.learned(order.working.decision, order.name, event)
            if isinstance(event, Fill):
                key = (order.wanted.bot, order.wanted.symbol)
                held = self.holdings.get(key) or Holding(FifoInventory(event.symbol))
                self.holdings[key], _ = held.after(event, order.wanted.protective_stop)

    def summed_up_from_scratch(self) -> RiskBook:
        """A new book that has the same record."""
        again = RiskBook(D("1.5"))
        for symbol in SYMBOLS:
            again.mark(symbol, MARK, 0)
        known = [self.book.order(order.name) for order in self.venue.orders]
        again.recover(self.holdings, [order for order in known if order is not None], {})
        return again


SYMBOL_USD_MAX, BOT_USD_MAX, GROSS_USD_MAX = D(3_000), D(2_500), D(4_500)


class Exposure(BookBesideAVenue):
    """Three bots trade as they like, as long as the book is within the limits after it."""

    @rule(seed=SEEDS)
    def go_on_with(self, seed: int) -> None:
        self.go_on(drawn(Random(seed), BOTS, SYMBOLS))

    def may_pass(self, wanted: Proposal, view: BookView) -> bool:
        exposed = (view.symbol_exposure_after, view.bot_exposure_after, view.gross_exposure_after)
        limits = (SYMBOL_USD_MAX, BOT_USD_MAX, GROSS_USD_MAX)
        if len(self.venue.orders) % 10 == 0:
            assert self.summed_up_from_scratch().view(wanted) == view
        return all(
            found is not None and found <= limit
            for found, limit in zip(exposed, limits, strict=True)
        )

    def worst(self, symbol: str, bot: str | None) -> Decimal:
        """The most that the venue can make of it."""
        held = self.venue.position(symbol)
        if bot is not None:
            held = self.venue.positions.get((bot, symbol), 0)
        bought = held + self.venue.may_trade(Side.BUY, symbol, bot)
        sold = held - self.venue.may_trade(Side.SELL, symbol, bot)
        return MARK * max(abs(held), abs(bought), abs(sold))

    @invariant()
    def whatever_the_venue_fills_is_within_the_limits(self) -> None:
        worst = [self.worst(symbol, None) for symbol in SYMBOLS]
        assert max(worst) <= SYMBOL_USD_MAX and sum(worst) <= GROSS_USD_MAX
        for bot in BOTS:
            assert sum(self.worst(symbol, bot) for symbol in SYMBOLS) <= BOT_USD_MAX

    def teardown(self) -> None:
        for side in Side:
            self.go_on(ExecuteAll(side))
            self.whatever_the_venue_fills_is_within_the_limits()
        self.go_on(HearAll())
        held = {key: D(held) for key, held in self.venue.positions.items() if held}
        assert self.book.positions == held
        assert self.book.at_risk() == self.summed_up_from_scratch().at_risk()


class CloseOnly(BookBesideAVenue):
    """Two bots on one symbol, and only what the book says to reduce their positions passes."""

    @initialize(one=st.integers(-60, 60), two=st.integers(-60, 60))
    def hold(self, one: int, two: int) -> None:
        for bot, held in (("one", one), ("two", two)):
            self.venue.positions[bot, "AAPL"] = held
            if held:
                opening = proposal(Side.BUY if held > 0 else Side.SELL, abs(held), bot=bot)
                executed = fill(approved("opening", opening).order, abs(held), MARK)
                empty = Holding(FifoInventory("AAPL"))
                self.holdings[bot, "AAPL"], _ = empty.after(executed, None)
        self.book.recover(self.holdings, [], {})
        self.before = self.held()

    @rule(seed=SEEDS)
    def go_on_with(self, seed: int) -> None:
        self.go_on(drawn(Random(seed), BOTS[:2], SYMBOLS[:1]))

    def wanted(self, wish: Propose, replaced: Sent | None) -> Proposal:
        role = Role.EXIT if wish.quantity % 2 else Role.FLATTEN
        return structs.replace(super().wanted(wish, replaced), role=role)

    def may_pass(self, wanted: Proposal, view: BookView) -> bool:
        return reduces(wanted, view.bot_position, view.bot_reducing_live) and reduces(
            wanted, view.account_position, view.account_reducing_live
        )

    def held(self) -> dict[str | None, int]:
        """By bot, and by the account (None)."""
        bots: dict[str | None, int] = {bot: held for (bot, _), held in self.venue.positions.items()}
        return {**bots, None: self.venue.position("AAPL")}

    @invariant()
    def no_position_grows_or_changes_its_side(self) -> None:
        now = self.held()
        for whose, before in self.before.items():
            assert 0 <= now[whose] <= before or before <= now[whose] <= 0
            closing = Side.SELL if now[whose] > 0 else Side.BUY
            assert self.venue.may_trade(closing, "AAPL", whose) <= abs(now[whose])
            assert self.venue.may_trade(closing.opposite, "AAPL", whose) == 0
        self.before = now

    def teardown(self) -> None:
        for side in Side:
            self.go_on(ExecuteAll(side))
            self.no_position_grows_or_changes_its_side()


def reduces(wanted: Proposal, position: Decimal, live: Decimal) -> bool:
    """INVARIANTS: opposite to the position and, with all that is live, not larger than it."""
    closing = Side.SELL if position > 0 else Side.BUY
    return wanted.side is closing and wanted.quantity + live <= abs(position)


def run(machine: type[RuleBasedStateMachine], max_examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=200,
            deadline=None,
            # To make two hundred steps fewer takes longer than a test may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


def test_no_fills_lead_above_the_limits_that_the_book_was_held_to_i25_i26_i31() -> None:
    run(Exposure, max_examples=25)


def test_close_only_positions_never_grow_nor_change_their_side_i09_i25_i26() -> None:
    run(CloseOnly, max_examples=25)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Exposure, CloseOnly])
def test_a_venue_of_its_own_mind_many_times_over_i09_i25_i26_i31(
    machine: type[RuleBasedStateMachine],
) -> None:
    run(machine, max_examples=200)
