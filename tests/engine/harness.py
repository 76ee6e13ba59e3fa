"""The whole engine in virtual time: a market played through it, or lives one after the other.

A `World` is what outlives a process, a `Life` is a process. The test's own hand decides in the
bots' names, halts and resumes in an operator's; the venue misbehaves by a plan.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import structs

from hydra.actor import MINUTE, SECOND, Actor, ChildSpec, Context, Ref
from hydra.assembly import Tree, assemble
from hydra.outsiders import NO_SIGNALS
from hydra.ports import Conditions, Signals
from hydra.proving.option_feed import OptionFeed
from hydra.runtime.explore import ExploreOptions
from hydra.runtime.sim_runtime import SimRuntime
from hydra.settings import Settings
from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger
from hydra.testkit.faults import Gibberish
from hydra.testkit.stand_ins import AllProtected
from hydra.trading.bars import Bar
from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    OrderType,
    Role,
    Side,
    TimeInForce,
    client_order_id,
)
from hydra.trading.trading_state import Cause, TradingState
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.faults import Fault
from hydra.venues.simulated.log_lines import RequestReceived
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.misbehaving import MisbehavingExchange
from hydra.venues.simulated.misbehaviour import Match, Misbehaviour, Rule
from hydra.venues.simulated.playback import (
    Happening,
    TimedEvent,
    by_moment,
    market_events,
    market_moments,
)
from hydra.venues.simulated.rebuild import play_until
from hydra.venues.simulated.request_log import MemoryLog
from hydra.venues.simulated.requests import Replace, Request, Submit
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT, VenueTerms
from messages.control import (
    Flatten,
    FlattenReported,
    Halt,
    ReportFlatten,
    ReportTradingState,
    Resume,
    ResumeNoted,
    TradingStateReported,
    WithdrawFlatten,
)
from messages.message import Message
from messages.orders import OrderIntent
from messages.summary import SessionSummary, Summarize
from supervisors import paths
from tests.engine.scenery import (
    CLOSE_AT,
    ENTRY_AT,
    NEXT_OPEN_AT,
    OPEN_AT,
    WIDE,
    BrokenJournal,
    ListJournal,
    bars_of,
    market_of,
    quiet,
    rising,
    settings_with,
    shipped_settings,
    two_days,
)
from tests.engine.scripted_actions import ScriptedActions

__all__ = [
    "CLOSE_AT",
    "ENTRY_AT",
    "NEXT_OPEN_AT",
    "OPEN_AT",
    "WIDE",
    "BrokenJournal",
    "Gibberish",
    "Life",
    "ListJournal",
    "Played",
    "World",
    "bars_of",
    "begun",
    "market_of",
    "plan_of",
    "play",
    "quiet",
    "rising",
    "settings_with",
    "shipped_settings",
    "struck",
    "two_days",
    "without_bots",
]


PRICES_COUNT_FOR = 15 * SECOND
"""Of a world with a feed of live prices."""


class Played(msgspec.Struct, frozen=True):
    """What is left of a session."""

    runtime: SimRuntime
    ledger: Ledger
    journal: ListJournal
    summary: SessionSummary


def play(
    data: MarketData,
    *,
    explore: ExploreOptions | int | None = None,
    settings: Settings | None = None,
    journal: ListJournal | None = None,
    ledger: Ledger | None = None,
    exchange: SimulatedExchange | None = None,
    at: Mapping[int, Callable[[SimRuntime], None]] | None = None,
    seed: int = 0,
) -> Played:
    """The whole session. `at`: what else happens, by market time, just before that time's bar."""
    runtime = SimRuntime(
        seed=seed,
        journal=paths.JOURNAL_WRITER,
        start_at=data.begins_at - MINUTE,
        explore=explore,
        strict=True,
    )
    journal = journal or ListJournal()
    ledger = ledger or Ledger.open(IN_MEMORY, venue="embedded", at=data.begins_at)
    engine = assemble(
        settings or shipped_settings(),
        data,
        runtime=runtime,
        market_time=runtime.now,
        ledger=ledger,
        journal=journal,
        exchange=exchange,
    )
    for moment, happening in (at or {}).items():
        runtime.call_at(moment, lambda happening=happening: happening(runtime))  # type: ignore[misc]
    runtime.start_root(engine.tree)
    runtime.advance(5 * SECOND)
    runtime.play(market_moments(data.bars, data.sessions), engine.market.happen)
    runtime.advance(5 * SECOND)
    summary = runtime.ask(paths.REPORTER, Summarize(), within=2.0)
    assert isinstance(summary, SessionSummary)
    return Played(runtime, ledger, journal, summary)


def plan_of(*faults: Fault | Rule, seed: int = 0) -> Misbehaviour:
    """A plan in which each of these strikes once; a rule says otherwise."""
    rules = tuple(each if isinstance(each, Rule) else Rule(fault=each) for each in faults)
    return Misbehaviour(rules=rules, seed=seed)


def struck(fault: Fault, *, times: int | None = 1, rate: float = 1.0, **match: Any) -> Rule:
    """A rule in one line: `struck(Lose(), what="OrderFilled", times=None)`."""
    return Rule(fault=fault, match=Match(**match), times=times, rate=rate)


def begun(world: "World", **how: Any) -> "Life":
    """A life on it that has come to a time at which entries may be made, by the test's own hand."""
    life = world.begin(with_bots=False, **how)
    life.run_to(max(ENTRY_AT, world.now))
    return life


class World:
    """What outlives a process: the market, the venue with its log, the ledger, the settings.

    Lives follow one another on it. While none is, the market goes on (`pass_by`). `ledger_path`
    None: a ledger in memory, which is good for one life.
    """

    def __init__(
        self,
        data: MarketData,
        plan: Misbehaviour | None = None,
        *,
        ledger_path: Path | None = None,
        settings: Settings | None = None,
        terms: VenueTerms | None = None,
        signals: Signals = NO_SIGNALS,
    ) -> None:
        self.data = data
        self.signals_told = signals
        self.settings = settings or shipped_settings()
        self.log = MemoryLog()
        self.exchange: SimulatedExchange
        if plan is None:
            self.exchange = SimulatedExchange(terms, self.log)
        else:
            self.exchange = MisbehavingExchange(plan, terms, self.log)
        self.lives: list[Life] = []
        self.now = data.begins_at - MINUTE
        self.signals = count(1_000)  # no bot comes so far
        self._ledger_path = ledger_path

    def begin(
        self,
        *,
        explore: ExploreOptions | int | None = None,
        with_bots: bool = True,
        with_exit_bot: bool = False,
        settings: Settings | None = None,
        conditions: Conditions | None = None,
        prices: OptionFeed | None = None,
        actions: ScriptedActions | None = None,
        uncertified: Mapping[str, str] = MappingProxyType({}),
    ) -> "Life":
        """A process starts. `with_bots` False: only the test's own hand trades, in their names;
        then `with_exit_bot` keeps the exit bot, which finds that they are silent. `prices`: live
        ones, and chains; None: there are bars alone, and no options. `actions`: who tells of splits
        and the like. Where the schedule is
        explored, actors are watched for leaks of real time (as in `play`); everywhere would take
        three times as long. `uncertified` as of `guardian_terms`.
        """
        assert not self.lives or (self._ledger_path is not None and self.lives[-1].is_over)
        self.exchange.forget_untold()
        life = Life(
            self,
            self.open_ledger(),
            settings or self.settings,
            explore=explore,
            with_bots=with_bots,
            with_exit_bot=with_exit_bot,
            conditions=conditions,
            strict=explore is not None,
            prices=prices,
            actions=actions,
            uncertified=uncertified,
        )
        self.lives.append(life)
        for cause in life.ledger.halts():
            if cause.is_global:
                life.runtime.gate.trip(cause)  # as a run does, before there is any actor
        if actions is not None:
            actions.begin(life.runtime)
        life.runtime.start_root(life.tree)
        if prices is not None:
            prices.begin(life.runtime)
        life.advance(5 * SECOND)
        return life

    def open_ledger(self) -> Ledger:
        """The ledger, as the next process finds it."""
        path = IN_MEMORY if self._ledger_path is None else self._ledger_path
        return Ledger.open(path, venue="embedded", at=self.now)

    def pass_by(self, until: int) -> None:
        """The market goes on while nobody of ours is there; what it does is told to nobody."""
        assert self.lives[-1].is_over
        play_until(self.exchange, self.events_left(), until)
        self.exchange.forget_untold()
        self.now = until

    def events_left(self) -> Iterator[TimedEvent]:
        """What of the market has not happened yet."""
        events = market_events(self.data.bars, self.data.sessions, self.exchange.events_seen)
        return (event for event in events if event[0] >= self.now)  # its end is told only once

    @property
    def newest_bar(self) -> Bar:
        """The last one that is over, in what the venue has seen."""
        seen = islice(market_events(self.data.bars, self.data.sessions), self.exchange.events_seen)
        return [event for _, event in seen if isinstance(event, Bar)][-1]

    @property
    def requests(self) -> list[Request]:
        """All that ever came to the venue, in order: the judge."""
        return [line.request for line in self.log.lines if isinstance(line, RequestReceived)]

    @property
    def submitted(self) -> list[str]:
        """The names of all orders that came to the venue, in order."""
        return [
            each.order.client_order_id
            for each in self.requests
            if isinstance(each, Submit | Replace)
        ]

    def asked(self, kind: Any) -> list[Any]:
        """The requests of one kind."""
        return [each for each in self.requests if isinstance(each, kind)]

    def came_at(self, kind: Any, since: int = 0, leg: str = "") -> list[int]:
        """When requests of this kind came, from then on. `leg`: only orders so named at the end."""
        return [
            line.at
            for line in self.log.lines
            if isinstance(line, RequestReceived)
            and isinstance(line.request, kind)
            and line.at >= since
            and (not leg or line.request.order.client_order_id.endswith(leg))
        ]

    @property
    def positions(self) -> dict[str, Any]:
        """What the account holds at the venue."""
        return {each.symbol: each.quantity for each in self.exchange.engine.account.positions()}

    @property
    def fills(self) -> tuple[Fill, ...]:
        """All that was ever executed at the venue."""
        return self.exchange.engine.snapshot(self.now, 0).fills


class Life:
    """One process, from its start to its end, in virtual time."""

    def __init__(
        self,
        world: World,
        ledger: Ledger,
        settings: Settings,
        *,
        explore: ExploreOptions | int | None,
        with_bots: bool,
        with_exit_bot: bool,
        conditions: Conditions | None,
        strict: bool,
        prices: OptionFeed | None,
        actions: ScriptedActions | None,
        uncertified: Mapping[str, str],
    ) -> None:
        self.world = world
        self.ledger = ledger
        self.journal = ListJournal()
        self.is_over = False
        self.lines_before = len(world.log.lines)
        self.lines_after: int | None = None
        self.runtime = SimRuntime(
            journal=paths.JOURNAL_WRITER, start_at=world.now, explore=explore, strict=strict
        )
        engine = assemble(
            settings,
            world.data,
            runtime=self.runtime,
            market_time=self.runtime.now,
            ledger=ledger,
            journal=self.journal,
            exchange=world.exchange,
            conditions=conditions,
            price_feed=prices,
            price_age_max=PRICES_COUNT_FOR,
            option_chains=prices,
            corporate_actions=actions,
            signals=world.signals_told,
            uncertified=uncertified,
        )
        self.market = engine.market
        self.happen: Callable[[Happening], None] = engine.market.happen
        """What an event of the market comes to; a test may have another feed tell of it."""
        self.parts = engine
        self.tree = engine.tree if with_bots else without_bots(engine, with_exit_bot)

    @property
    def now(self) -> int:
        """Machine time and market time, which are one here."""
        return self.runtime.now()

    def run_to(self, at: int) -> None:
        """Let the market and everything else happen, up to and at this time."""
        events = (event for event in self.world.events_left() if event[0] <= at)
        self.runtime.play(by_moment(events), self.happen)
        self.advance(max(0, at - self.now))

    def run_for(self, duration: int) -> None:
        """See `run_to`."""
        self.run_to(self.now + duration)

    def run_closely(self, duration: int) -> None:
        """As `run_for`, with every tick of every timer: virtual time leaves out those between two
        events of the market, in which nothing can happen. A misbehaving venue makes things happen.
        """
        until = self.now + duration
        while self.now < until:
            self.run_to(min(self.now + SECOND, until))

    def run_out(self) -> None:
        """Play the market to its end."""
        self.runtime.play(by_moment(self.world.events_left()), self.happen)
        self.advance(5 * SECOND)

    def advance(self, duration: int) -> None:
        """Time passes without the market."""
        self.runtime.advance(duration)
        self.world.now = self.now

    def tell(self, ref: Ref[Any], message: Message) -> None:
        """From outside; it is handled at once."""
        self.runtime.tell(ref, message)
        self.runtime.settle()

    def crash(self, ref: Ref[Any]) -> None:
        """This actor fails at the next message that it handles."""
        self.tell(ref, Gibberish())

    def ask(self, ref: Ref[Any], message: Message) -> Any:
        """From outside, answered within two seconds of virtual time."""
        answer = self.runtime.ask(ref, message, within=2.0)
        self.world.now = self.now
        return answer

    def die(self) -> None:
        """As with kill -9: nothing more of it happens, and what was not committed is gone."""
        self.is_over = True
        self.lines_after = len(self.world.log.lines)
        self.world.now = self.now
        self.ledger.close()

    # What an operator does

    def halt(self, cause: Cause) -> None:
        self.tell(paths.RISK_GUARDIAN, Halt(cause=cause))

    def halt_by_operator(self) -> None:
        self.halt(OPERATOR_HALT.cause(since=self.now, detail="looks wrong"))

    def resume(self, *codes: str, reason: str = "looked into") -> ResumeNoted:
        """Say that these causes may go (none: all that stand), and wait for the next preflight."""
        noted = self.ask_to_resume(*codes, reason=reason)
        self.advance(6 * SECOND)
        return noted

    def ask_to_resume(self, *codes: str, reason: str = "looked into") -> ResumeNoted:
        """The same, without waiting for what comes of it."""
        word = Resume(reason=reason, operator="ada", codes=codes)
        noted = self.ask(paths.RISK_GUARDIAN, word)
        assert isinstance(noted, ResumeNoted)
        return noted

    def flatten(self, pause: TradingState = TradingState.CLOSE_ONLY) -> None:
        wanted = Flatten(reason="enough", operator="ada", pause=pause)
        assert isinstance(self.ask(paths.FLATTENER, wanted), FlattenReported)

    def withdraw_flatten(self) -> FlattenReported:
        wanted = WithdrawFlatten(reason="changed our mind", operator="ada")
        told = self.ask(paths.FLATTENER, wanted)
        assert isinstance(told, FlattenReported)
        return told

    @property
    def flatten_report(self) -> FlattenReported:
        report = self.ask(paths.FLATTENER, ReportFlatten())
        assert isinstance(report, FlattenReported)
        return report

    # What a bot does

    def intend(
        self,
        *,
        bot: str = "mom_AAPL",
        symbol: str = "AAPL",
        role: Role = Role.ENTRY,
        side: Side = Side.BUY,
        quantity: Decimal | int = 1,
        limit: str | None = None,
        stop: str | None = None,
        reference: str = "100",
        protective_stop: str | None = None,
        replaces: str | None = None,
        signal: int | None = None,
    ) -> str:
        """A decision in a bot's name goes to the guardian; gives the name its order would have.

        With `signal` a decision can come again.
        """
        decision = DecisionKey(
            bot=bot,
            symbol=symbol,
            session="2016-04-15",
            signal=next(self.world.signals) if signal is None else signal,
            role=role,
        )
        intent = OrderIntent(
            decision=decision,
            side=side,
            quantity=Decimal(quantity),
            reason="a test",
            decided_at=self.now,
            reference_price=Decimal(reference),
            order_type=_order_type(limit, stop),
            time_in_force=TimeInForce.GTC if is_crypto(symbol) else TimeInForce.DAY,
            limit_price=None if limit is None else Decimal(limit),
            stop_price=None if stop is None else Decimal(stop),
            protective_stop=None if protective_stop is None else Decimal(protective_stop),
            replaces=replaces,
        )
        self.tell(paths.RISK_GUARDIAN, intent)
        return client_order_id(EMBEDDED_ACCOUNT, decision)

    def enter(self, quantity: Decimal | int = 1, **wishes: Any) -> str:
        """Buy, and mean to give up half a dollar below."""
        price = Decimal(wishes.get("limit") or wishes.get("reference", "100"))
        stop = str(price - Decimal("0.5"))
        return self.intend(**{"quantity": quantity, "protective_stop": stop, **wishes})

    def exit(self, quantity: Decimal | int = 1, **wishes: Any) -> str:
        """Sell what was bought."""
        return self.intend(role=Role.EXIT, side=Side.SELL, quantity=quantity, **wishes)

    # What it says of itself

    @property
    def report(self) -> TradingStateReported:
        report = self.ask(paths.RISK_GUARDIAN, ReportTradingState())
        assert isinstance(report, TradingStateReported)
        return report

    @property
    def causes(self) -> dict[str, TradingState]:
        """What stands, by code, those of one bot or symbol included."""
        return {cause.code: cause.state for cause in self.report.causes}

    @property
    def state(self) -> TradingState:
        """As the gate has it, which is what counts."""
        return self.runtime.gate.state

    @property
    def denials(self) -> list[str]:
        """Which checks denied orders, in order."""
        return [str(record["check"]) for record in self.journal.events("order_denied")]

    def view(self, ref: Ref[Any]) -> Mapping[str, Any]:
        """What the debugger would show of an actor."""
        actor = self.runtime.cells[ref.path].actor
        assert actor is not None
        return actor.state_view()

    @property
    def heat(self) -> str:
        """What is lost if all that is held and works is stopped out, as the guardian counts it."""
        return str(self.view(paths.RISK_GUARDIAN)["heat"])

    def told(self, report: str) -> list[Any]:
        """What of this kind became durable, in order."""
        stored = self.journal.events("report_stored")
        return [record["content"] for record in stored if record["report"] == report]

    def status_of(self, name: str) -> str | None:
        """What the ledger says of an order; None if it never heard of it."""
        found = [each for each in self.ledger.orders() if each.state.order.client_order_id == name]
        return found[0].state.status.value if found else None

    @property
    def positions(self) -> dict[str, Any]:
        """What the ledger says of each bot, in each symbol: "mom_AAPL AAPL"."""
        return {
            f"{each.bot} {each.inventory.symbol}": each.inventory.position
            for each in self.ledger.inventories()
            if each.inventory.position
        }


def _order_type(limit: str | None, stop: str | None) -> OrderType:
    if stop is not None:
        return OrderType.STOP
    return OrderType.MARKET if limit is None else OrderType.LIMIT


class Idle(Actor[Any]):
    """In a bot's place, and does nothing: what it would decide the test's own hand decides."""

    def receive(self, message: Message, ctx: Context) -> None:
        """Whatever it is told."""


_STAND_INS: Mapping[str, type[Actor[Any]]] = {paths.EXIT_BOT.name: AllProtected}


def without_bots(engine: Tree, with_exit_bot: bool = False) -> ChildSpec:
    """The whole tree, but its bots do nothing; the portfolio bot has budgets granted to them."""
    kept = {paths.PORTFOLIO_BOT.name, *((paths.EXIT_BOT.name,) if with_exit_bot else ())}
    root = engine.tree
    core, bots, ops = root.args["children"]
    children = tuple(
        spec
        if spec.name in kept
        else ChildSpec(name=spec.name, actor=_STAND_INS.get(spec.name, Idle))
        for spec in bots.args["children"]
    )
    bots = structs.replace(bots, args={**bots.args, "children": children})
    return structs.replace(root, args={**root.args, "children": (core, bots, ops)})
