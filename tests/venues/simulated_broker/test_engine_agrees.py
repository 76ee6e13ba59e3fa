"""Shares, coins and contracts at the broker, and in the engine's own books: the same money."""

from decimal import Decimal
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.ops.artefacts.holdings import Holdings
from hydra.ops.artefacts.opening import Opening
from hydra.ops.bench.wide_terms import wide_terms
from hydra.trading.exact import add, subtract, total
from hydra.trading.fees import USD, Fee
from hydra.trading.inventory import FifoInventory, paid
from hydra.trading.orders import DecisionKey, Fill, Role, Side
from hydra.trading.risk_desk import RiskDesk
from hydra.trading.sub_ledgers import SubLedger
from hydra.venues.simulated.brokerage.books import Trade
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import TimeInForce
from tests.venues.simulated_broker.stage import CALL_40, PUT_45, SESSIONS, Stage, order

BOTS = ("one", "two")
SYMBOLS = ("HYDR", "BTC/USD", CALL_40.symbol, PUT_45.symbol)
CASH = Decimal("100000.07")


class Step(NamedTuple):
    """A market order in a minute of its own, by one of the bots."""

    bot: str
    symbol: str
    side: Side
    quantity: int
    stock: int
    """In cents."""
    option: int
    """What options are bid, in cents."""


STEPS = st.builds(
    Step,
    bot=st.sampled_from(BOTS),
    symbol=st.sampled_from(SYMBOLS),
    side=st.sampled_from([Side.BUY, Side.BUY, Side.SELL]),
    quantity=st.integers(1, 9),
    stock=st.integers(3_000, 6_000),
    option=st.integers(1, 400),
)


class Engine:
    """All that keeps money in the engine, told of one execution after the other."""

    def __init__(self) -> None:
        self.desk = RiskDesk(wide_terms(BOTS, SYMBOLS, SESSIONS).desk)
        self.desk.opened_with(CASH)
        opening = Opening(ledger_seq=0, ledger_chain="", journal_seq=0, cash=CASH)
        self.bundle = Holdings(opening)
        self.money = {bot: SubLedger(bot=bot) for bot in BOTS}
        self.lots = {(bot, s): FifoInventory(s) for bot in BOTS for s in SYMBOLS}

    def booked(self, bot: str, trade: Trade) -> None:
        """As it is told: the execution, and what was kept of it."""
        place, number = (bot, trade.symbol), trade.execution_id
        fill = Fill(
            execution_id=number,
            client_order_id=number,
            symbol=trade.symbol,
            side=trade.side,
            quantity=trade.quantity,
            price=trade.price,
            at=trade.at,
        )
        decision = DecisionKey(bot, trade.symbol, "2026-11-23", 1, Role.ENTRY)
        self.desk.learn(decision, number, fill, trade.at)
        self.bundle.filled(bot, fill)
        self.lots[place], closed = self.lots[place].apply(fill)
        self.money[bot] = self.money[bot].after(fill, closed)
        if not trade.fee:
            return
        asset = trade.symbol if trade.side is Side.BUY else USD
        fee = Fee(
            client_order_id=number,
            execution_id=number,
            bot=bot,
            symbol=trade.symbol,
            asset=asset,
            amount=trade.fee,
            most=trade.fee,
            at=trade.at,
        )
        self.desk.charge(fee, decision)
        self.bundle.accrued(fee)
        self.lots[place], made = paid(self.lots[place], fee)
        self.money[bot] = self.money[bot].made(made)
        if asset == USD:
            self.money[bot] = self.money[bot].adjusted(made)

    def priced(self, symbol: str, price: Decimal, at: int) -> None:
        self.desk.book.mark(symbol, price, at)
        self.bundle.prices[symbol] = price

    @property
    def realised(self) -> Decimal:
        return total(each.realised for each in self.money.values())

    def unrealised(self, prices: dict[str, Decimal]) -> Decimal:
        return total(
            lots.unrealised(prices[symbol]) for (_, symbol), lots in self.lots.items() if lots.lots
        )


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=12))
def test_cash_equity_and_profit_are_the_broker_s_to_the_last_digit_i60(steps: list[Step]) -> None:
    stage, engine = Stage(BrokerageTerms(starting_cash=CASH)), Engine()
    bots: list[str] = []

    for step in steps:
        stage.market.option_quotes = dict.fromkeys(
            (CALL_40.symbol, PUT_45.symbol),
            (str(Decimal(step.option).scaleb(-2)), str(Decimal(step.option + 5).scaleb(-2))),
        )
        begun = [stage.begin(step.stock / 100, symbol=each) for each in ("HYDR", "BTC/USD")]
        tif = TimeInForce.GTC if "/" in step.symbol else TimeInForce.DAY
        stage.ask(order(step.side, str(step.quantity), symbol=step.symbol, tif=tif))
        for trade in stage.broker.trades[len(bots) :]:
            engine.booked(step.bot, trade)
            bots.append(step.bot)

        account = stage.broker.account()
        prices = dict[str, Decimal]()
        for symbol in SYMBOLS:
            quote = stage.market.quote(symbol, stage.now)
            assert quote is not None
            prices[symbol] = quote.last
            engine.priced(symbol, quote.last, stage.now)
        assert account.cash == add(CASH, total(each.cash for each in engine.money.values()))
        assert account.cash == engine.bundle.cash
        assert account.equity == engine.desk.equity == engine.bundle.equity
        profit = subtract(account.equity, CASH)
        assert profit == add(engine.realised, engine.unrealised(prices))
        assert engine.realised == total(engine.bundle.realised.values())
        assert {p.symbol: p.quantity for p in stage.broker.positions()} == {
            symbol: held
            for symbol in SYMBOLS
            if (held := total(engine.lots[bot, symbol].position for bot in BOTS))
        }
        for bar in begun:
            stage.end(bar)


def test_a_round_trip_in_contracts_makes_a_hundred_times_the_difference() -> None:
    stage, engine = Stage(), Engine()
    stage.begin(42.0, minutes=60)
    stage.ask(order(Side.BUY, "3", symbol=CALL_40.symbol))
    stage.market.option_quotes[CALL_40.symbol] = ("2.55", "2.60")
    stage.ask(order(Side.SELL, "3", symbol=CALL_40.symbol))

    for trade in stage.broker.trades:
        engine.booked("one", trade)

    assert [trade.price for trade in stage.broker.trades] == [Decimal("2.10"), Decimal("2.55")]
    assert engine.money["one"] == SubLedger(bot="one", cash=Decimal(135), realised=Decimal(135))
    assert stage.broker.account().cash == Decimal(100_000 + 135)
