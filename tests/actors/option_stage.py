"""The options bot on a stage: a chain, a guardian and a feed in a test's hand, in virtual time."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec import structs

from actors.options_bot import OptionsBot, OptionsPlan
from hydra.actor import MINUTE, Ref
from hydra.settings import Settings
from hydra.terms import options_plan
from hydra.testkit import Kit, Probe
from hydra.testkit.builders import bar
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.option_rules import ChainContract
from hydra.trading.option_symbols import Right, parsed
from hydra.trading.orders import Denial, Fill, Order, RecordedOrder, Side
from hydra.trading.protection import Guard
from hydra.trading.quotes import Quote
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.symbol_prices import Unready
from messages.market import (
    BarClosed,
    HistoryReported,
    QuoteChanged,
    ReportHistory,
    SymbolReported,
)
from messages.options import ChainQuestion, ChainRead, FollowContracts
from messages.orders import (
    CancelIntent,
    OrderCanceled,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    ReportStored,
)
from messages.positions import BookRecovered, RecoverBook
from messages.protection import GUARDS_TOPIC, GuardReported
from tests.engine.scenery import OPEN_AT, bars_of, market_of, settings_with

D = Decimal
BOT = "opt_core"
FRIDAY = date(2016, 4, 15)
EXPIRES = date(2016, 5, 13)
CALL, PUT = "SPY160513C00101000", "SPY160513P00099000"
UP = [100.0] * 11 + [100.5]
DOWN = [100.0] * 11 + [99.5]


def calendar(closes: dict[date, int] | None = None) -> SessionTable:
    """Every weekday of ten weeks, from half past nine to four; `closes` are minutes after that."""
    days = [FRIDAY + timedelta(days=number) for number in range(70)]
    sessions = []
    for day in days:
        if day.weekday() < 5:
            open_at = OPEN_AT + (day - FRIDAY).days * DAY
            lasts = (closes or {}).get(day, 390)
            sessions.append(
                ExchangeSession(day.isoformat(), open_at, open_at + lasts * MINUTE, lasts < 390)
            )
    return SessionTable(tuple(sessions))


def settings_of(**changes: object) -> Settings:
    """The shipped ones; `risk__max_trades_per_day=1` is a key of `optionsbot`."""
    return settings_with(
        {f"optionsbot.{key.replace('__', '.')}": value for key, value in changes.items()}
    )


def plan_for(
    settings: Settings | None = None,
    *,
    closes: dict[date, int] | None = None,
    symbols: tuple[str, ...] = ("SPY", "QQQ"),
) -> OptionsPlan:
    """What the settings come to in a market of these symbols, which has options."""
    table = calendar(closes)
    data = market_of(tuple(each for symbol in symbols for each in bars_of([100.0], symbol)))
    market = structs.replace(data, sessions=table, option_calendar=table)
    plan = options_plan(settings or settings_of(), market)
    assert plan is not None
    return plan


def contract(symbol: str = CALL, at: int = 0, **changes: Any) -> ChainContract:
    """One that meets every rule, quoted at `at`."""
    says = parsed(symbol)
    assert says is not None
    made = ChainContract(
        symbol=symbol,
        underlying=says.root,
        expiration=says.expiration,
        right=says.right,
        strike=says.strike,
        multiplier=D(100),
        tradable=True,
        open_interest=D(1_000),
        quote=Quote(symbol, at, 1.98, 2.0, 10.0, 10.0),
        delta=0.4 if says.right is Right.CALL else -0.4,
        implied_volatility=0.2,
        in_penny_program=True,
    )
    return structs.replace(made, **changes)


class FakeChains:
    """The port: keeps the questions."""

    def __init__(self) -> None:
        self.asked: list[ChainQuestion] = []

    def ask(self, question: ChainQuestion) -> None:
        self.asked.append(question)


class Stage:
    """The bot; its guardian, its feed and the exit bot only listen. The record is what is given."""

    def __init__(
        self,
        plan: OptionsPlan | None = None,
        record: BookRecovered | None = None,
        *,
        start_at: int = OPEN_AT,
        history: Mapping[str, tuple[Bar, ...]] | None = None,
    ) -> None:
        """`history`: the bars of before it starts, by underlying."""
        known = history or {}
        self.kit = Kit(start_at=start_at)
        self.guardian: Probe = self.kit.probe("guardian")
        self.feed: Probe = self.kit.probe("feed")
        self.feed.reply_with(
            lambda asked: (
                HistoryReported(bars=known.get(asked.symbol, ()))
                if isinstance(asked, ReportHistory)
                else None
            )
        )
        self.exit_bot: Probe = self.kit.probe("exit_bot")
        bus, cells = self.kit.runtime.bus, self.kit.runtime.cells
        bus.subscribe(GUARDS_TOPIC, cells[self.exit_bot.ref.path])
        self.chains = FakeChains()
        self.record = record or BookRecovered(orders=(), fills=())
        self.bot: Ref[Any] = self.kit.start(
            OptionsBot,
            plan=plan or plan_for(),
            guardian=self.guardian.ref,
            feed=self.feed.ref,
            chains=self.chains,
        )
        self.recover()

    @property
    def now(self) -> int:
        return self.kit.now

    def recover(self) -> None:
        """Answer the newest question about the record."""
        asked = [each for each in self.guardian.told if isinstance(each, RecoverBook)][-1]
        answer = structs.replace(self.record, asked_by=asked.asked_by, number=asked.number)
        self.kit.tell(self.bot, answer)

    # What the market does

    def play(
        self, closes: Iterable[float], symbol: str = "SPY", *, is_backfill: bool = False
    ) -> None:
        """Bars of a minute each, from now on, as they close. `is_backfill`: they were missed."""
        for close in closes:
            made = bar(close, symbol=symbol, start_at=self.now)
            self.kit.advance(MINUTE)
            self.kit.tell(self.bot, BarClosed(bar=made, is_backfill=is_backfill))

    def wait(self, duration: int) -> None:
        self.kit.advance(duration)

    def wait_until(self, at: int) -> None:
        self.kit.advance(max(0, at - self.now))

    def answer(self, *contracts: ChainContract) -> None:
        """The newest question about a chain, at once; quotes of 0 are of now."""
        asked = self.chains.asked[-1]
        told = tuple(
            structs.replace(each, quote=structs.replace(each.quote, at=self.now))
            if each.quote is not None and not each.quote.at
            else each
            for each in contracts
        )
        self.kit.tell(
            self.bot, ChainRead(contracts=told, asked_by=asked.asked_by, number=asked.number)
        )

    def quote(
        self, symbol: str = CALL, bid: float = 1.98, ask: float = 2.0, *, behind: int = 0
    ) -> None:
        """Of now, or of so long ago."""
        quote = Quote(symbol, self.now - behind, bid, ask, 10.0, 10.0)
        self.kit.tell(self.bot, QuoteChanged(quote=quote))

    def is_ready(self, symbol: str, why: Unready | None = None) -> None:
        """The data feed's word on it; with a reason, that it is not."""
        word = SymbolReported(symbol=symbol, why=why, detail="", at=self.now)
        self.kit.tell(self.bot, word)

    # What becomes of orders

    def fill(self, intent: OrderIntent, price: str, quantity: int | None = None) -> None:
        count = intent.quantity if quantity is None else D(quantity)
        fill = Fill(
            execution_id=f"x{len(self.guardian.told)}-{self.now}-{count}",
            client_order_id="hy1-x",
            symbol=intent.decision.symbol,
            side=intent.side,
            quantity=count,
            price=D(price),
            at=self.now,
        )
        report = ReportStored(decision=intent.decision, report=OrderFilled(fill=fill))
        self.kit.tell(self.bot, report)

    def canceled(self, intent: OrderIntent) -> None:
        report = OrderCanceled(client_order_id="hy1-x", at=self.now)
        self.kit.tell(self.bot, ReportStored(decision=intent.decision, report=report))

    def deny(self, intent: OrderIntent, check: str = "price_is_fresh") -> None:
        denial = Denial(check, "because")
        self.kit.tell(self.bot, OrderDenied(intent=intent, denial=denial))

    # What the bot does

    @property
    def intents(self) -> list[OrderIntent]:
        return [each for each in self.guardian.told if isinstance(each, OrderIntent)]

    @property
    def cancels(self) -> list[CancelIntent]:
        return [each for each in self.guardian.told if isinstance(each, CancelIntent)]

    @property
    def followed(self) -> tuple[str, ...]:
        """By its last word."""
        wishes = [each for each in self.feed.told if isinstance(each, FollowContracts)]
        return wishes[-1].symbols if wishes else ()

    @property
    def guards(self) -> list[Guard]:
        return [each.guard for each in self.exit_bot.told if isinstance(each, GuardReported)]

    def state(self) -> Any:
        return self.kit.state(self.bot)

    def enter(self, symbol: str = CALL, closes: Iterable[float] = UP) -> OrderIntent:
        """A signal, its chain, its quote: the entry that comes of it."""
        self.play(closes)
        self.answer(contract(symbol))
        self.quote(symbol)
        return self.intents[-1]

    def hold(self, symbol: str = CALL, closes: Iterable[float] = UP) -> OrderIntent:
        """The same, filled at 2.00."""
        entry = self.enter(symbol, closes)
        self.fill(entry, "2.00")
        return entry


def held(symbol: str, opened_at: int) -> BotInventory:
    """Two of it, bought at 2.00."""
    lot = Lot(
        side=Side.BUY,
        quantity=D(2),
        price=D("2.00"),
        opened_at=opened_at,
        execution_id="x1",
    )
    return BotInventory(BOT, FifoInventory(symbol, (lot,)))


def recorded(*held: BotInventory, orders: tuple[RecordedOrder, ...] = ()) -> BookRecovered:
    """What the persister answers."""
    return BookRecovered(orders=orders, fills=(), held=held)


def recorded_order(intent: OrderIntent, *, is_open: bool, filled: int = 0) -> RecordedOrder:
    """As the ledger has it."""
    order = Order(
        client_order_id="hy1-x",
        symbol=intent.decision.symbol,
        side=intent.side,
        quantity=intent.quantity,
        order_type=intent.order_type,
        time_in_force=intent.time_in_force,
        limit_price=intent.limit_price,
    )
    return RecordedOrder(
        decision=intent.decision, order=order, is_open=is_open, filled_quantity=D(filled)
    )
