"""Run in a process of its own by `thousand_bots`: the engine, its market, and what it needs.

`python -m hydra.ops.bench.thousand_bots_probe FOLDER CONFIG BOTS MILLISECONDS PACE`
prints `Readings`; PACE is `even`, or `at_once`.
"""

import gc
import os
import random
import sys
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from time import perf_counter_ns, process_time_ns, sleep
from typing import Any

import msgspec
from msgspec import structs

from actors.momentum_bot import Inbox, MomentumBot
from hydra.actor import ChildSpec, Context
from hydra.assembly import Engine, Tree, assemble
from hydra.ops.bench.bare_threads import Relays
from hydra.ops.bench.memory_probe import resident_kib
from hydra.ops.bench.sampling import percentiles
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.live_session import play_live
from hydra.ops.session import RunMarket, RunOptions, Session
from hydra.plugins import fault_in_signal
from hydra.ports import Service
from hydra.runtime.clock import FollowedClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings import Settings, SettingsRefused, load_settings
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.terms import momentum_plan
from hydra.trading.account_reading import AccountStatement
from hydra.trading.bars import Bar
from hydra.trading.durations import MILLISECOND, MINUTE, SECOND
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.market import BarClosed
from messages.orders import OrderAccepted, OrderDenied, ReportStored

VENUE = "embedded"
SPEED = 60
"""A minute's bar closes every second."""
OPENS_AT = 1_767_623_400 * SECOND
"""2026-01-05 14:30 UTC, an ordinary Monday's opening bell: no time of day is in the figures."""
SESSION = ExchangeSession("2026-01-05", OPENS_AT, OPENS_AT + 390 * MINUTE, early_close=False)
WARM_UP_BARS = 12
"""Bars that have closed when the engine starts; the shipped strategy looks back over ten."""
HEARD_AFTER = 60 * MILLISECOND
"""Market time, of which a bar of the future is none. A millisecond of the machine's."""
BUDGET_PCT = Decimal(1)
"""The least that a bot is granted, in percent of the day's risk; most of the crowd gets nothing."""
RESTS_WITHIN_S = 20.0
DECIDED_WITHIN_S = 5.0
FIRST_ORDER_WITHIN_MINUTES = 15
"""Of the market. What is measured is an engine that trades."""
BARE_BARS = 20
HAND_OFFS = 2_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and bounds: `bare_…` and hand-offs.

    `cpu_pct` is of one core; `bare_second_ms` is what the strategies alone take of a second.
    """

    cpu_pct: float
    bare_second_ms: float
    resident_mib: float
    idle_kib: float
    """What the start of the engine has added to resident memory."""
    bare_resident_mib: float
    decision_p50_ms: float
    decision_p99_ms: float
    hand_off_p50_ms: float
    hand_off_p99_ms: float
    orders: int
    denials: int


class Failed(Exception):
    """There is nothing to be read; the text says why."""


def symbol_of(number: int) -> str:
    """BAAA, BAAB, and so on."""
    digits = (number // 676 % 26, number // 26 % 26, number % 26)
    return "B" + "".join(LETTERS[digit] for digit in digits)


def with_crowd(settings: Settings, bots: int) -> Settings:
    """The same with so many copies of its first momentum bot, each on a symbol of its own.

    A smaller share of the day's risk is enough for a bot, so that more than a handful has one.
    Not by way of a file: one of so many bots is longer than what is read of `config/` at all.
    """
    first = settings.momentum_bots[0]
    crowd = tuple(
        first.model_copy(
            update={"bot_id": f"bench_{number}", "ticker": symbol_of(number), "enabled": True}
        )
        for number in range(bots)
    )
    portfolio = settings.portfoliobot
    guardrails = portfolio.guardrails.model_copy(
        update={"per_bot_min_pct_of_daily_risk": BUDGET_PCT}
    )
    return settings.model_copy(
        update={
            "momentum_bots": crowd,
            "portfoliobot": portfolio.model_copy(update={"guardrails": guardrails}),
        }
    )


class Ticks:
    """The bars of all symbols, one after another, each a random walk.

    `at_once`: all of a minute end together; else they end at even distances.
    """

    def __init__(self, symbols: tuple[str, ...], *, at_once: bool = False) -> None:
        self.symbols = symbols
        self._apart = 0 if at_once else MINUTE // len(symbols)
        """Market time from one bar's end to that of the next symbol's."""
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}
        self._draw = random.Random(1)
        self._closes = [100.0] * len(symbols)

    def bar(self, number: int) -> Bar:
        """The next bar; they are asked for in their order."""
        which = number % len(self.symbols)
        opened = self._closes[which]
        closed = self._closes[which] = round(opened * (1 + self._draw.gauss(0, 0.001)), 2)
        high, low = max(opened, closed) + 0.01, min(opened, closed) - 0.01
        end_at = self.end_at(number)
        symbol = self.symbols[which]
        return Bar(symbol, end_at - MINUTE, end_at, opened, high, low, closed, 1_000.0)

    def end_at(self, number: int) -> int:
        """Market time of its end."""
        minutes, which = divmod(number, len(self.symbols))
        return OPENS_AT + (minutes + 1) * MINUTE + which * self._apart

    def number_of(self, bar: Bar) -> int:
        """The inverse."""
        which = self._numbers[bar.symbol]
        minutes = (bar.end_at - OPENS_AT - MINUTE - which * self._apart) // MINUTE
        return minutes * len(self.symbols) + which


class Watch:
    """When each bar was told, and when its bot had decided."""

    def __init__(self, ticks: Ticks) -> None:
        self.number_of = ticks.number_of
        self.told: list[int] = []
        self.decided: dict[int, int] = {}
        self.orders = 0
        self.denials = 0


class WatchedBot(MomentumBot):
    """The bot, and a note of when it has decided."""

    def __init__(self, watch: Watch, **of_bot: Any) -> None:
        super().__init__(**of_bot)
        self._watch = watch

    def receive(self, message: Inbox, ctx: Context) -> None:
        """What the bot does, and then the note."""
        super().receive(message, ctx)
        match message:
            case BarClosed():
                self._watch.decided[self._watch.number_of(message.bar)] = perf_counter_ns()
            case ReportStored(report=OrderAccepted()):
                self._watch.orders += 1
            case OrderDenied():
                self._watch.denials += 1
            case _:
                pass


class CrowdMarket:
    """See `LiveMarket`: plays bars for so long, and reads meanwhile what the process needs."""

    def __init__(self, data: MarketData, milliseconds: int, *, at_once: bool) -> None:
        self.clock = FollowedClock(data.begins_at)
        self._began_at = machine_time()
        self.clock.follow(data.begins_at + WARM_UP_BARS * MINUTE, self._began_at, float(SPEED))
        self.ticks = Ticks(data.symbols, at_once=at_once)
        self.watch = Watch(self.ticks)
        self.failure: str | None = None
        self.idle_kib = 0.0
        """What the engine's start has added to resident memory."""
        self.cpu_pct = 0.0
        self.resident_mib = 0.0
        self.latencies: list[int] = []
        self._data = data
        self._milliseconds = milliseconds
        self._runtime: ThreadRuntime | None = None
        self._engine: Engine | None = None
        self._closing = threading.Event()

    def assemble(
        self, session: Session, runtime: ThreadRuntime, services: Mapping[str, Service]
    ) -> Tree:
        """See `LiveMarket.assemble`."""
        self._runtime = runtime
        gc.collect()
        self.idle_kib = -resident_kib()
        self._engine = assemble(
            session.settings,
            self._data,
            runtime=runtime,
            market_time=lambda: self.clock.at(machine_time()),
            ledger=session.record.ledger,
            journal=session.record.journal,
            conditions=session.conditions,
            services=services,
        )
        return structs.replace(self._engine, tree=_watched(self._engine.tree, self.watch))

    def connect(self) -> None:
        """See `LiveMarket.connect`."""

    def open(self, finished: Callable[[str | None], None]) -> None:
        """See `LiveMarket.open`."""

        def play() -> None:
            try:
                self._play()
            except Failed as failed:
                self.failure = str(failed)
            finished(self.failure)

        threading.Thread(target=play, name="market", daemon=True).start()

    def close(self, within_s: float) -> None:
        """See `LiveMarket.close`."""
        self._closing.set()

    def settle(self, within_s: float) -> bool:
        """See `LiveMarket.settle`."""
        return True

    def disconnect(self, within_s: float) -> None:
        """See `LiveMarket.disconnect`."""
        self._closing.set()

    def read_account(self, since: int | None, deadline: float) -> AccountStatement:
        """See `LiveMarket.read_account`. There is no account."""
        raise ReadFailed("there is no account here")

    def last_words(self) -> tuple[str, ...]:
        """See `LiveMarket.last_words`."""
        return ()

    def _play(self) -> None:
        assert self._runtime is not None
        gc.collect()
        self.idle_kib += resident_kib()
        self._play_until(self.clock.at(machine_time()), is_paced=False)
        if not self._runtime.settle(within=RESTS_WITHIN_S):
            raise Failed(f"it did not come to rest in {RESTS_WITHIN_S:g} s after its first bars")
        for _ in range(FIRST_ORDER_WITHIN_MINUTES):
            self._play_until(self.clock.at(machine_time()) + MINUTE, is_paced=True)
            if self.watch.orders:
                break
        self._require_trading()
        first = len(self.watch.told)
        began, cpu_began = perf_counter_ns(), process_time_ns()
        until = self.clock.at(machine_time()) + self._milliseconds * MILLISECOND * SPEED
        self._play_until(until, is_paced=True)
        self._wait_for_decisions()
        if first == len(self.watch.told):
            raise Failed(f"no bar was due within {self._milliseconds} ms")
        took, cpu = perf_counter_ns() - began, process_time_ns() - cpu_began
        self.cpu_pct = 100 * cpu / took
        self.resident_mib = resident_kib() / 1024
        told, decided = self.watch.told, self.watch.decided
        self.latencies = [decided[n] - told[n] for n in range(first, len(told))]
        self._require_trading()

    def _play_until(self, until: int, *, is_paced: bool) -> None:
        """All bars that end by this market time, each at its own or, else, at once."""
        assert self._engine is not None
        ticks, told, happen = self.ticks, self.watch.told, self._engine.market.happen
        while (end_at := ticks.end_at(len(told))) <= until and not self._closing.is_set():
            bar = ticks.bar(len(told))
            if is_paced:
                while (left := end_at + HEARD_AFTER - self.clock.at(machine_time())) > 0:
                    sleep(left / (SPEED * SECOND))
            told.append(perf_counter_ns())
            happen((bar,))

    def _wait_for_decisions(self) -> None:
        give_up_at = perf_counter_ns() + int(DECIDED_WITHIN_S * SECOND)
        while len(self.watch.decided) < len(self.watch.told):
            if perf_counter_ns() > give_up_at:
                told, decided = len(self.watch.told), len(self.watch.decided)
                raise Failed(f"{decided} of {told} bars were decided on in time")
            sleep(0.001)

    def _require_trading(self) -> None:
        assert self._runtime is not None
        gate = self._runtime.gate
        if gate.state is not TradingState.ACTIVE:
            causes = "; ".join(cause.detail for cause in gate.standing())
            raise Failed(f"trading is {gate.state.name}: {causes}")
        if not self.watch.orders:
            raise Failed("no bot sent an order")


def _watched(tree: ChildSpec, watch: Watch) -> ChildSpec:
    """The same tree with each momentum bot watched."""
    if tree.actor is MomentumBot:
        return structs.replace(tree, actor=WatchedBot, args={**tree.args, "watch": watch})
    children = tree.args.get("children")
    if children is None:
        return tree
    return structs.replace(
        tree, args={**tree.args, "children": tuple(_watched(child, watch) for child in children)}
    )


def run(folder: Path, config: Path, bots: int, milliseconds: int, *, at_once: bool) -> Readings:
    """One session of the configured bots. Raises `Failed`."""
    loaded_mib = resident_kib() / 1024
    settings = with_crowd(load_settings(config, signal_check=fault_in_signal), bots)
    symbols = tuple(bot.ticker for bot in settings.momentum_bots)
    data = MarketData(
        bars=(Ticks(symbols).bar(0),),
        sessions=SessionTable((SESSION,)),
        symbols=symbols,
        origin="random walks",
    )
    market = CrowdMarket(data, milliseconds, at_once=at_once)
    at = market.clock.at(machine_time())
    owner = Owner(venue=VENUE, account=None, version="0", configuration=settings.digest, at=at)
    files = EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "app.jsonl")
    record, last_resort = EngineRecord.open(files, owner), LastResort()
    run_market = RunMarket(
        mode=VENUE, account=EMBEDDED_ACCOUNT, facts=data, at=at, ends_at=None, said_first=()
    )
    options = RunOptions(seed=0, speed=float(SPEED), dry_run=False)
    try:
        with Path(os.devnull).open("w") as nowhere:
            session = Session(settings, files, options, record, run_market, nowhere, last_resort)
            ended = play_live(session, market)
    finally:
        last_resort.disarm()
        record.close()
    if market.failure is not None or ended is not ExitCode.CLEAN:
        raise Failed(market.failure or f"the engine ended with {ended!r}")
    return _readings(settings, data, market, loaded_mib)


def _readings(
    settings: Settings, data: MarketData, market: CrowdMarket, loaded_mib: float
) -> Readings:
    p50, p99 = percentiles(market.latencies, _hand_offs(), unit_ns=MILLISECOND)
    return Readings(
        cpu_pct=market.cpu_pct,
        bare_second_ms=_bare_second_ms(settings, data),
        resident_mib=market.resident_mib,
        idle_kib=market.idle_kib,
        bare_resident_mib=loaded_mib,
        decision_p50_ms=p50.value,
        decision_p99_ms=p99.value,
        hand_off_p50_ms=p50.bound_value,
        hand_off_p99_ms=p99.bound_value,
        orders=market.watch.orders,
        denials=market.watch.denials,
    )


def _hand_offs() -> list[int]:
    """Market to feed to bot, in ns."""
    relays = Relays(2)
    try:
        return [relays.one_way() for _ in range(HAND_OFFS)]
    finally:
        relays.close()


def _bare_second_ms(settings: Settings, data: MarketData) -> float:
    """Processor time of what the strategies do in a second: a bar each."""
    ticks = Ticks(data.symbols)
    zone, collar_pct = settings.system.timezone, settings.guards.order.price_collar_pct
    plans = [momentum_plan(bot, zone, data, collar_pct) for bot in settings.momentum_bots]
    strategies = [plan.new_strategy() for plan in plans]
    bars = [ticks.bar(number) for number in range(BARE_BARS * len(strategies))]
    began = process_time_ns()
    for number, bar in enumerate(bars):
        strategies[number % len(strategies)].on_bar(bar, SESSION)
    return (process_time_ns() - began) / (BARE_BARS * MILLISECOND)


def main(folder: str, config: str, bots: str, milliseconds: str, pace: str) -> None:
    """As said above."""
    try:
        found = run(
            Path(folder), Path(config), int(bots), int(milliseconds), at_once=pace == "at_once"
        )
    except (Failed, SettingsRefused) as failed:
        raise SystemExit(str(failed)) from None
    sys.stdout.write(msgspec.json.encode(found).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
