"""From one equity to the next: whatever happened comes to zero, and what is missing is named."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.trading.account_moves import BookedMove, MoveKind, RecordSide
from hydra.trading.account_reading import AccountReading, AccountStatement, Activity, Mark
from hydra.trading.equity_beginning import BeginningNotKnown, at_the_close
from hydra.trading.equity_bridge import EquityBridge, Line, Section, equity_bridge, not_known
from hydra.trading.exact import multiply, plain, total
from hydra.trading.instruments import value_of
from hydra.trading.inventory import FifoInventory
from hydra.trading.orders import Fill, Side

D = Decimal
NOTHING = D(0)
CALL = "SPY261218C00500000"
SYMBOLS = ("SPY", "BTC/USD", CALL)
BOTS = ("mom", "coin")
KINDS = ("CSD", "CSW", "JNLC", "DIV", "INT", "FEE", "NEVERSEEN")
UNITS = {"SPY": 1, "BTC/USD": 1, CALL: 100}


class World:
    """An account at a venue, and the record of the engine that trades on it, told apart."""

    def __init__(self) -> None:
        self.at = 0
        self.cash = D(100_000)
        self.held: dict[str, Decimal] = {}
        self.prices = {"SPY": D("500.25"), "BTC/USD": D("61234.5678"), CALL: D("3.15")}
        self.activities: list[Activity] = []
        self.moves: list[BookedMove] = []
        self.names: dict[str, str] = {}
        self.lots: dict[tuple[str, str], FifoInventory] = {}

    def reading(self) -> AccountReading:
        marks = tuple(
            Mark(
                symbol=symbol,
                quantity=quantity,
                value=value_of(symbol, quantity, self.prices[symbol]),
                price=self.prices[symbol],
            )
            for symbol, quantity in sorted(self.held.items())
            if quantity
        )
        equity = self.cash + total(mark.value for mark in marks)
        counted = tuple(each.id for each in self.activities if each.has_counted)
        self.at += 1
        return AccountReading(
            account="PA1",
            at=self.at,
            cash=self.cash,
            equity=equity,
            marks=marks,
            counted=counted,
        )

    @property
    def record(self) -> RecordSide:
        return RecordSide(moves=tuple(self.moves), names=self.names)

    def hold(self, symbol: str, quantity: Decimal) -> None:
        self.held[symbol] = self.held.get(symbol, D(0)) + quantity

    def tell(self, kind: str, cash: Decimal, symbol: str = "", quantity: Decimal = NOTHING) -> str:
        """The account is changed, and an activity says so; gives the execution's name, if any."""
        self.at += 1
        name = f"x{self.at}"
        self.cash += cash
        if symbol:
            self.hold(symbol, quantity)
        self.activities.append(
            Activity(
                id=f"{self.at}::{name}",
                kind=kind,
                at=self.at,
                cash=cash,
                symbol=symbol,
                quantity=quantity,
                price=self.prices.get(symbol),
                order_id=f"order-{self.at}" if kind == "FILL" else "",
                status="" if kind == "FILL" else "executed",
            )
        )
        return name

    def trade(self, bot: str | None, symbol: str, quantity: Decimal) -> None:
        """By a bot, or by somebody else."""
        price = self.prices[symbol]
        cash = -value_of(symbol, quantity, price)
        name = self.tell("FILL", cash, symbol, quantity)
        if bot is None:
            return
        order = f"hy1-{name}"
        self.names[f"order-{self.at}"] = order
        self.book(bot, symbol, quantity, price, order, name, MoveKind.EXECUTION)
        if "/" in symbol:
            self.pay_fee(bot, symbol, quantity, order, name)

    def book(
        self,
        bot: str,
        symbol: str,
        quantity: Decimal,
        price: Decimal,
        order: str,
        name: str,
        kind: MoveKind,
    ) -> None:
        fill = Fill(
            execution_id=name,
            client_order_id=order,
            symbol=symbol,
            side=Side.BUY if quantity > 0 else Side.SELL,
            quantity=abs(quantity),
            price=price,
            at=self.at,
        )
        lots = self.lots.get((bot, symbol), FifoInventory(symbol))
        self.lots[bot, symbol], closed = lots.apply(fill)
        self.moves.append(
            BookedMove(
                kind=kind,
                bot=bot,
                symbol=symbol,
                at=self.at,
                order=order,
                execution_id=name,
                quantity=quantity,
                cash=-value_of(symbol, quantity, price),
                realised=total(lot.realised for lot in closed),
                price=price,
            )
        )

    def pay_fee(self, bot: str, symbol: str, quantity: Decimal, order: str, name: str) -> None:
        """The venue takes it at once, and of a coin's purchase out of the coin; nothing says so."""
        fee = BookedMove(
            kind=MoveKind.FEE, bot=bot, symbol=symbol, at=self.at, order=order, execution_id=name
        )
        if quantity < 0:
            kept = multiply(value_of(symbol, quantity, self.prices[symbol]), D("0.0025"))
            self.cash += kept
            self.moves.append(replace(fee, cash=kept, realised=kept))
            return
        coins = multiply(quantity, D("0.0025"))
        self.hold(symbol, -coins)
        lots = self.lots[bot, symbol]
        self.lots[bot, symbol], made = lots.charged(coins, self.at, f"fee:{name}")
        self.moves.append(replace(fee, quantity=-coins, realised=made))

    def assign(self, bot: str, symbol: str, quantity: Decimal) -> None:
        self.at += 1
        price = self.prices[symbol] + 1
        name = f"assigned:{self.at}"
        self.book(bot, symbol, quantity, price, "", name, MoveKind.ASSIGNED)


def bridge(world: World, begin: AccountReading, end: AccountReading) -> EquityBridge:
    return equity_bridge(begin, end, world.activities, world.record, since="a test")


AMOUNTS = st.integers(1, 10_000_000).map(lambda each: D(each).scaleb(-4))
SIGNED = st.builds(lambda amount, sign: amount * sign, AMOUNTS, st.sampled_from((1, -1)))
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("trade"), st.sampled_from((*BOTS, None)), st.sampled_from(SYMBOLS), SIGNED
        ),
        st.tuples(st.just("other"), st.sampled_from(KINDS), SIGNED),
        st.tuples(st.just("split"), st.sampled_from(SYMBOLS), AMOUNTS),
        st.tuples(st.just("mark"), st.sampled_from(SYMBOLS), AMOUNTS),
        st.tuples(st.just("assign"), st.sampled_from(BOTS), st.sampled_from(SYMBOLS), SIGNED),
    ),
    max_size=12,
)


def happen(world: World, steps: list[tuple[object, ...]]) -> None:
    for step in steps:
        match step:
            case ("trade", (str() | None) as bot, str() as symbol, Decimal() as quantity):
                world.trade(bot, symbol, quantity)
            case ("other", str() as kind, Decimal() as cash):
                world.tell(kind, cash)
            case ("split", str() as symbol, Decimal() as quantity):
                world.tell("SPLIT", D(0), symbol, quantity)
            case ("mark", str() as symbol, Decimal() as price):
                world.prices[symbol] = price
            case ("assign", str() as bot, str() as symbol, Decimal() as quantity):
                world.assign(bot, symbol, quantity)
            case _:
                raise AssertionError(step)


@settings(max_examples=60, deadline=None)
@given(before=STEPS, within=STEPS)
def test_whatever_happens_comes_to_zero(
    before: list[tuple[object, ...]], within: list[tuple[object, ...]]
) -> None:
    world = World()
    happen(world, before)
    begin = world.reading()
    happen(world, within)
    end = world.reading()

    found = bridge(world, begin, end)

    assert found.unexplained == 0
    assert found.differences == ()
    assert total(line.amount for line in found.lines) == end.worth - begin.worth


@settings(max_examples=60, deadline=None)
@given(before=STEPS, within=STEPS, data=st.data())
def test_what_no_activity_lists_is_unexplained_to_the_last_digit(
    before: list[tuple[object, ...]], within: list[tuple[object, ...]], data: st.DataObject
) -> None:
    world = World()
    happen(world, before)
    begin = world.reading()
    world.tell("CSD", D("12.34"))
    happen(world, within)
    end = world.reading()
    fresh = [each for each in world.activities if each.id not in begin.counted]
    gone = data.draw(st.sampled_from(fresh))
    world.activities.remove(gone)

    found = bridge(world, begin, end)

    assert not found.is_zero
    assert total(each.amount for each in found.differences) == found.unexplained
    if not gone.symbol:
        assert found.unexplained == gone.cash
    elif gone.symbol in {mark.symbol for mark in end.marks} and "/" not in gone.symbol:
        worth = value_of(gone.symbol, gone.quantity, world.prices[gone.symbol])
        assert found.unexplained == gone.cash + worth


@settings(max_examples=60, deadline=None)
@given(
    steps=STEPS,
    cash=SIGNED,
    coins=SIGNED,
    equity=st.integers(2, 10_000).map(lambda each: D(each).scaleb(-2)),
)
def test_what_the_account_has_by_nothing_is_unexplained(
    steps: list[tuple[object, ...]], cash: Decimal, coins: Decimal, equity: Decimal
) -> None:
    world = World()
    begin = world.reading()
    happen(world, steps)
    world.cash += cash
    world.hold("SPY", coins)
    end = world.reading()
    end = replace(end, equity=end.worth + equity)

    found = bridge(world, begin, end)

    assert total(each.amount for each in found.differences) == found.unexplained
    words = [each.what for each in found.differences]
    assert "cash changed by what no activity says" in words
    assert "the venue's equity is not its cash and positions" in words
    if "SPY" in {mark.symbol for mark in end.marks}:
        assert found.unexplained == cash + value_of("SPY", coins, world.prices["SPY"]) + equity


def a_day() -> tuple[World, AccountReading]:
    """A bot buys, another one has bought before."""
    world = World()
    world.trade("mom", "SPY", D(10))
    begin = world.reading()
    world.prices["SPY"] += 2
    world.trade("mom", "SPY", D(-4))
    world.tell("CSD", D(500))
    return world, begin


def test_a_bridge_says_who_made_what() -> None:
    world, begin = a_day()
    world.trade(None, "SPY", D(1))
    world.prices["SPY"] += 1
    end = world.reading()

    assert bridge(world, begin, end) == EquityBridge(
        since="a test",
        began_at=begin.at,
        ended_at=end.at,
        began=D(100_000),
        ended=D(100_527),
        lines=(
            Line(Section.REALISED, "mom", D(8)),
            Line(Section.UNREALISED, "SPY", D(18)),
            Line(Section.ACTIVITIES, "CSD", D(500)),
            Line(Section.FOREIGN, "buy 1 SPY at 502.25", D(1)),
        ),
        unexplained=D(0),
    )


def test_an_execution_that_is_listed_and_not_on_record_is_named() -> None:
    world, begin = a_day()
    world.moves.pop()
    world.prices["SPY"] += 1
    end = world.reading()

    found = bridge(world, begin, end)

    assert found.unexplained == D(-4)
    (difference,) = found.differences
    assert "sell 4 SPY at 502.25 is an execution of our order hy1-x3" in difference.what
    assert difference.amount == D(-4)


def test_an_order_of_unknown_outcome_may_be_what_seems_to_be_somebody_elses() -> None:
    world, begin = a_day()
    world.trade(None, "SPY", D(1))
    end = world.reading()
    unsure = replace(world.record, unnamed=("hy1-lost",))

    assert bridge(world, begin, end).is_zero
    found = equity_bridge(begin, end, world.activities, unsure, since="a test")
    assert (found.unexplained, found.is_zero) == (D(0), False)
    assert ["hy1-lost" in each.what for each in found.differences] == [True]


def test_an_execution_of_another_price_is_named_with_what_it_makes() -> None:
    world, begin = a_day()
    last = world.moves[-1]
    world.moves[-1] = replace(last, cash=last.cash + 3, realised=last.realised + 3)
    end = world.reading()

    found = bridge(world, begin, end)

    assert found.unexplained == D(-3)
    assert [each.amount for each in found.differences] == [D(-3)]


def test_an_execution_that_is_only_on_record_does_not_count_and_is_named() -> None:
    world, begin = a_day()
    world.at += 1
    world.book("mom", "SPY", D(3), world.prices["SPY"], "hy1-z", "z", MoveKind.EXECUTION)
    end = world.reading()

    found = bridge(world, begin, end)

    assert found.unexplained == 0
    assert not found.is_zero
    assert [each.what for each in found.differences] == [
        "buy 3 SPY at 502.25 of mom is on record, and in no list of the venue's"
    ]


def test_one_execution_under_two_names_is_one() -> None:
    world, begin = a_day()
    fill = world.activities[-2]
    world.activities[-2] = replace(fill, id=f"{fill.at}::another")

    assert bridge(world, begin, world.reading()).is_zero


def test_an_execution_of_before_is_not_taken_for_one_like_it_that_is_not_on_record() -> None:
    world = World()
    world.trade("mom", "SPY", D(10))
    first = world.activities[-1]
    begin = world.reading()
    world.tell("FILL", first.cash, "SPY", D(10))
    world.activities[-1] = replace(world.activities[-1], order_id=first.order_id)
    world.prices["SPY"] += 1

    found = bridge(world, begin, world.reading())

    assert found.unexplained == D(10)
    assert ["not on record" in each.what for each in found.differences] == [True]


def test_an_execution_is_known_by_its_own_name_where_that_of_its_order_is_not() -> None:
    world, begin = a_day()
    world.names.clear()

    assert bridge(world, begin, world.reading()).is_zero


def test_a_fee_that_was_on_record_with_its_trade_counts_once() -> None:
    world = World()
    world.trade("coin", "BTC/USD", D(2))
    begin = world.reading()
    name = world.tell("CFEE", D(0), "BTC/USD", D("-0.005"))
    world.hold("BTC/USD", D("0.005"))  # the account had paid it with the trade
    end = world.reading()
    booked = replace(world.record, booked=frozenset({f"{world.at - 1}::{name}"}))
    known = replace(world.record, unbooked={("BTC/USD", "BTC/USD"): D("0.005")})

    for record in (booked, known):
        assert equity_bridge(begin, end, world.activities, record, since="a test").is_zero
    found = bridge(world, begin, end)
    assert found.unexplained == multiply(D("0.005"), world.prices["BTC/USD"])


@pytest.mark.parametrize(("kind", "held"), [("OPEXC", D(2)), ("OPASN", D(-2))])
def test_contracts_that_become_shares_over_night_come_to_zero(kind: str, held: Decimal) -> None:
    world = World()
    world.trade("mom", CALL, held)
    begin = world.reading()
    world.prices["SPY"] = D("507.5")
    world.tell(kind, D(0), CALL, -held)
    world.tell("OPTRD", D(-50_000) * held, "SPY", 100 * held)

    found = bridge(world, begin, world.reading())

    assert found.is_zero
    options = [line.amount for line in found.lines if line.section is Section.OPTIONS]
    assert total(options) == held * 100 * (D("507.5") - 500 - D("3.15"))
    assert total(line.amount for line in found.lines) == total(options)


def test_a_contract_that_expires_is_worth_nothing_to_whoever_held_it() -> None:
    world = World()
    world.trade("mom", CALL, D(2))
    begin = world.reading()
    world.tell("OPEXP", D(0), CALL, D(-2))

    found = bridge(world, begin, world.reading())

    assert found.is_zero
    assert total(line.amount for line in found.lines) == D(-630)


def test_what_is_pending_counts_when_it_is_executed_and_what_is_taken_back_counts_back() -> None:
    world, begin = a_day()
    world.tell("CSW", D(-70))
    world.cash += 70
    world.activities[-1] = replace(world.activities[-1], status="pending")
    middle = world.reading()
    first = bridge(world, begin, middle)
    world.cash -= 70
    world.activities[-1] = replace(world.activities[-1], status="executed")
    deposit = world.activities[-2]
    assert deposit.kind == "CSD"
    world.activities[-2] = replace(deposit, status="canceled")
    world.cash -= 500
    second = bridge(world, middle, world.reading())

    assert first.is_zero
    assert first.notes == ("CSW (-70 USD) is pending: it counts in no line",)
    assert second.is_zero
    activities = [line for line in second.lines if line.section is Section.ACTIVITIES]
    assert activities == [
        Line(Section.ACTIVITIES, "CSD, taken back", D(-500)),
        Line(Section.ACTIVITIES, "CSW", D(-70)),
    ]


@pytest.mark.parametrize(("off", "is_zero"), [("-0.004", True), ("0.006", False)])
def test_no_more_than_the_last_digit_of_a_figure_is_taken_to_be_rounded(
    off: str, is_zero: bool
) -> None:
    world, begin = a_day()
    world.tell("INT", D("0.004"))
    end = world.reading()

    found = bridge(world, begin, replace(end, equity=plain(end.worth + D(off))))

    rounding = Line(Section.ROUNDING, "the venue's equity", D(off))
    assert found.is_zero is is_zero
    assert found.unexplained == (0 if is_zero else D(off))
    assert (rounding in found.lines) is is_zero


def test_a_beginning_that_is_not_known_is_never_zero() -> None:
    found = not_known("no reading", "nothing", World().reading())

    assert (found.unexplained, found.is_zero) == (None, False)


def statement(world: World, close: AccountReading, prices: dict[str, Decimal]) -> AccountStatement:
    return AccountStatement(
        reading=world.reading(),
        activities=tuple(world.activities),
        last_equity=close.worth,
        last_session="2026-11-20",
        last_prices=prices,
    )


@settings(max_examples=60, deadline=None)
@given(before=STEPS, within=STEPS)
def test_the_last_close_follows_from_what_happened_since(
    before: list[tuple[object, ...]], within: list[tuple[object, ...]]
) -> None:
    world = World()
    happen(world, before)
    close, prices = world.reading(), dict(world.prices)
    happen(world, within)

    told = statement(world, close, prices)
    found = at_the_close(told, world.record, close.at)

    assert (found.cash, {mark.symbol: mark.quantity for mark in found.marks}) == (
        close.cash,
        {mark.symbol: mark.quantity for mark in close.marks},
    )
    assert bridge(world, found, told.reading).is_zero


def test_what_was_held_at_the_close_and_is_gone_leaves_the_close_unknown() -> None:
    world = World()
    world.trade("mom", "SPY", D(10))
    close = world.reading()
    world.trade("mom", "SPY", D(-10))

    with pytest.raises(BeginningNotKnown, match="10 SPY was held at the last close and is gone"):
        at_the_close(statement(world, close, {}), world.record, close.at)


def test_an_equity_of_the_close_that_does_not_fit_is_unexplained() -> None:
    world, close = a_day()
    told = statement(world, replace(close, equity=close.worth - 9), {"SPY": D("500.25")})

    found = bridge(world, at_the_close(told, world.record, close.at), told.reading)

    assert found.unexplained == D(9)
