"""The whole engine in virtual time with the options bot: a market of SPY and of contracts on it.

Streams and chains are those of the proof (`OptionFeed`), in a test's hand: `OptionLife` quotes what
the bars say, every few seconds, and has each question about a chain answered by them.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from hydra.actor import MINUTE, SECOND
from hydra.proving.option_feed import CONTRACT_STREAM, OptionFeed, OptionTrouble
from hydra.settings import Settings
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.trading.instruments import Instrument, instrument
from hydra.trading.option_rules import ChainContract
from hydra.trading.option_symbols import parsed
from hydra.trading.quotes import Quote
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.misbehaviour import Misbehaviour
from hydra.venues.simulated.playback import Happening
from messages.market import QuoteReceived
from messages.options import ChainQuestion
from supervisors import paths
from tests.actors.option_stage import CALL, PUT, calendar, contract
from tests.engine.harness import Life, World
from tests.engine.scenery import OPEN_AT, bars_of, settings_with
from tests.engine.scripted_actions import ScriptedActions

QUOTED_EVERY = 5 * SECOND
SIGNAL = [100.0] * 15 + [100.5] * 375
"""Of SPY: it rises once, 16 minutes after the bell, and the bot buys a call."""
HELD_AT = OPEN_AT + 25 * MINUTE
"""By then it has what it bought."""


def option_market(*days: Mapping[str, Iterable[float]]) -> MarketData:
    """The closes of minute bars by symbol, of a Friday, then of the Monday after it."""
    made = [
        bar
        for day, closes_of in zip((0, 3), days, strict=False)
        for symbol, closes in closes_of.items()
        for bar in bars_of(closes, symbol, OPEN_AT + day * DAY)
    ]
    table = calendar()
    return MarketData(
        bars=tuple(sorted(made, key=lambda bar: (bar.end_at, bar.symbol))),
        sessions=table,
        symbols=tuple(sorted({bar.symbol for bar in made})),
        origin="a test",
        option_calendar=table,
    )


class OptionLife:
    """A life, or one after the other (`begin`), with the options bot in it.

    `half_spread` is how far the bid of a contract is below what its bars say, and its ask above.
    `behind`: so far the venue's clock is behind ours.
    """

    def __init__(
        self,
        data: MarketData,
        ledger_path: Path,
        *,
        plan: Misbehaviour | None = None,
        settings: Settings | None = None,
        source: ScriptedActions | None = None,
    ) -> None:
        self.source = source
        self.data = data
        self.world = World(
            data, plan, ledger_path=ledger_path, settings=settings or option_settings()
        )
        self.trouble = OptionTrouble()
        self.half_spread = 0.01
        self.behind = 0
        self._quotes = 0
        self._bars: dict[str, list[Bar]] = {}
        for bar in data.bars:
            self._bars.setdefault(bar.symbol, []).append(bar)
        self.life = self.begin()

    def begin(self) -> Life:
        """The process starts, first or again."""
        self.feed = OptionFeed(self, {"stocks": ("SPY",)}, self.trouble, quoted_every=0)
        self.life = life = self.world.begin(prices=self.feed, actions=self.source)

        def happen(event: Happening) -> None:
            """Of contracts there are quotes and no bars."""
            told = None
            if isinstance(event, tuple):
                told = tuple(bar for bar in event if parsed(bar.symbol) is None)
            life.market.happen(event, told)

        life.happen = happen
        return life

    # What the market does

    def run_to(self, at: int) -> None:
        """With a quote of everything every five seconds, two seconds after the bars."""
        while self.life.now < at:
            due = (self.life.now - 2 * SECOND) // QUOTED_EVERY * QUOTED_EVERY
            due += QUOTED_EVERY + 2 * SECOND
            self.life.run_to(min(due, at))
            if due <= at:
                self.tell_quotes()

    def run_for(self, duration: int) -> None:
        self.run_to(self.life.now + duration)

    def tell_quotes(self) -> None:
        """All that is followed, and the share, at once."""
        share = self.quote("SPY", self.life.now)
        if share is not None:
            self.life.tell(paths.DATA_FEED, QuoteReceived(quote=share))
        self.feed.tell_quotes()
        self.life.runtime.settle()

    def mute_contracts(self, duration: int = DAY) -> None:
        """Their stream brings nothing."""
        self.trouble.mute(self.life.now + duration)

    def lose_contracts(self) -> None:
        """Their stream is gone, and does not come again."""
        self.trouble.lose(self.life.now + DAY)
        self.feed.lose(CONTRACT_STREAM, "cut")
        self.life.runtime.settle()

    # What there is to quote, for the feed

    def quote(self, symbol: str, at: int) -> Quote | None:
        """A little different each time, as those of a lively market are."""
        begun = [bar for bar in self._bars.get(symbol, ()) if bar.start_at <= at]
        if not begun or self.data.sessions.at(at) is None:
            return None
        price = begun[-1].open if at < begun[-1].end_at else begun[-1].close
        is_option = instrument(symbol) is Instrument.OPTION
        half = self.half_spread if is_option else 0.01
        self._quotes += 1
        bid, ask = round(price - half, 4), round(price + half, 4)
        return Quote(symbol, at - self.behind, bid, ask, 1.0 + self._quotes % 7, 2.0)

    def listed(self, question: ChainQuestion, at: int) -> tuple[ChainContract, ...]:
        """All contracts of the market, of the right that is asked for."""
        return tuple(
            contract(symbol, quote=self.quote(symbol, at))
            for symbol in self.data.symbols
            if (option := parsed(symbol)) is not None and option.right is question.right
        )

    # What is seen

    @property
    def orders(self) -> list[tuple[str, str, str, Decimal | None]]:
        """All on record, in order: symbol, role, type, limit price."""
        intents = [each.intent for each in self.life.ledger.orders()]
        return [
            (
                each.decision.symbol,
                each.decision.role.value,
                each.order_type.value,
                each.limit_price,
            )
            for each in intents
        ]

    @property
    def positions(self) -> dict[str, Decimal]:
        """At the venue."""
        return self.world.positions


def option_settings(**changes: object) -> Settings:
    """Nothing is closed for its age alone; `exits__stop_loss_pct=...` is a key of `optionsbot`."""
    changed = {f"optionsbot.{key.replace('__', '.')}": value for key, value in changes.items()}
    return settings_with({"optionsbot.exits.time_stop_minutes": 1000, **changed})


def holding(
    tmp_path: Path,
    calls: Iterable[float] = (2.0,) * 390,
    settings: Settings | None = None,
    source: ScriptedActions | None = None,
) -> OptionLife:
    """It has bought two calls, at 2.01, which go on as `calls` says."""
    prices = list(calls)
    bars = {"SPY": SIGNAL[: len(prices)], CALL: prices, PUT: [2.0] * len(prices)}
    it = OptionLife(option_market(bars), tmp_path / "ledger.db", settings=settings, source=source)
    it.run_to(HELD_AT)
    assert it.positions == {CALL: 2}
    return it
