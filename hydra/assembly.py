"""Settings -> ports -> supervision tree: the system's parts list, on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

import msgspec

from hydra.actor import MILLISECOND, SECOND, ChildSpec
from hydra.exit_terms import exit_terms
from hydra.monitor_terms import monitor_terms
from hydra.outsiders import NO_SIGNALS
from hydra.ports import (
    Conditions,
    CorporateActions,
    Journal,
    Ledger,
    OptionChains,
    OrderGate,
    PriceFeed,
    Service,
    Signals,
    Venue,
)
from hydra.runtime.runtime import Runtime
from hydra.settings import Settings
from hydra.terms import MarketFacts, guardian_terms, history_of, plans_of
from hydra.trading.bars import Bar
from hydra.trading.contract_shares import contract_shares
from hydra.trading.fees import NO_FEES, FeeSchedule
from hydra.trading.trading_state import Cause
from hydra.venues.dry_run import DryRun
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.in_process import InProcessVenue
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import Market
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.control import GateDrained, GateTripped
from messages.reconciliation import VenueWord, order_named_in
from supervisors import paths
from supervisors.bots import bots
from supervisors.core import core
from supervisors.ops import ops
from supervisors.root import root

DRAIN_WITHIN = 200 * MILLISECOND
"""T_DRAIN: sends in flight at a halt may finish within this; then their outcome is unknown."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a tree was made of besides its settings and its market: enough to make it once more."""

    account: str
    price_age_max: int
    fees: FeeSchedule
    services: tuple[str, ...]
    has_price_feed: bool
    has_option_chains: bool
    has_corporate_actions: bool = False
    known_bars: tuple[Bar, ...] = ()
    uncertified: Mapping[str, str] = {}


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be started."""

    tree: ChildSpec
    bots: tuple[str, ...]
    left_out: tuple[str, ...]
    """Enabled bots whose symbol the market does not have."""
    rebuilt: Callable[[Settings], Tree]
    """The tree of other settings on the same market, as a reload compares it; nothing is changed.
    """
    parts: Parts


class Engine(Tree, frozen=True, kw_only=True):
    """The same with the market that it will trade on, in this process."""

    market: Market


class NothingPresent:
    """No watch outside of the actors has found anything: for tests and benchmarks."""

    def present(self) -> frozenset[str]:
        """See `Conditions.present`."""
        return frozenset()


def assemble(
    settings: Settings,
    data: MarketData,
    *,
    runtime: Runtime,
    market_time: Callable[[], int],
    ledger: Ledger,
    journal: Journal,
    exchange: SimulatedExchange | None = None,
    conditions: Conditions | None = None,
    services: Mapping[str, Service] | None = None,
    price_feed: PriceFeed | None = None,
    price_age_max: int = 0,
    option_chains: OptionChains | None = None,
    corporate_actions: CorporateActions | None = None,
    dry_run: bool = False,
    signals: Signals = NO_SIGNALS,
    known_bars: tuple[Bar, ...] = (),
    uncertified: Mapping[str, str] = MappingProxyType({}),
) -> Engine:
    """Put the engine together with the venue in its own process; nothing is started.

    `exchange`: the venue to trade on, a new one that nobody keeps if there is none. Else as
    `assemble_on`.
    """
    exchange = exchange or SimulatedExchange()
    in_process = InProcessVenue(exchange, runtime.gate, market_time, tell_gateway(runtime))
    venue: Venue = DryRun(in_process) if dry_run else in_process
    prices = runtime.outside("market")
    market = Market(in_process, lambda message: prices.tell(paths.DATA_FEED, message))
    built = assemble_on(
        settings,
        data,
        runtime=runtime,
        venue=venue,
        account=EMBEDDED_ACCOUNT,
        ledger=ledger,
        journal=journal,
        conditions=conditions,
        services=services,
        price_feed=price_feed,
        price_age_max=price_age_max,
        option_chains=option_chains,
        corporate_actions=corporate_actions,
        fees=exchange.fees,
        signals=signals,
        known_bars=known_bars,
        uncertified=uncertified,
    )
    return Engine(
        tree=built.tree,
        bots=built.bots,
        left_out=built.left_out,
        rebuilt=built.rebuilt,
        parts=built.parts,
        market=market,
    )


def assemble_on(
    settings: Settings,
    market: MarketFacts,
    *,
    runtime: Runtime,
    venue: Venue,
    account: str,
    ledger: Ledger,
    journal: Journal,
    conditions: Conditions | None = None,
    services: Mapping[str, Service] | None = None,
    price_feed: PriceFeed | None = None,
    price_age_max: int = 0,
    option_chains: OptionChains | None = None,
    corporate_actions: CorporateActions | None = None,
    fees: FeeSchedule = NO_FEES,
    signals: Signals = NO_SIGNALS,
    known_bars: tuple[Bar, ...] = (),
    uncertified: Mapping[str, str] = MappingProxyType({}),
) -> Tree:
    """Put the engine together on a runtime, whatever its venue; nothing is started.

    `price_feed` and `price_age_max` as of `core`: None, where bars are brought by whoever plays
    them. `option_chains` are there where `market.option_calendar` is. `corporate_actions`: who
    tells of splits and the like; None: nobody is asked, and nobody waited for. `services` are kept
    open while the engine runs, by the name of the actor that hosts each. `fees` are what the venue
    keeps of executions: `ALPACA_FEES`, say. `signals` are what the signal bot is told. `known_bars`
    are of before the market begins: bots start warm with them.
    """
    connect_gate(runtime, venue)
    parts = Parts(
        account=account,
        price_age_max=price_age_max,
        fees=fees,
        services=tuple(services or ()),
        has_price_feed=price_feed is not None,
        has_option_chains=option_chains is not None,
        has_corporate_actions=corporate_actions is not None,
        known_bars=known_bars,
        uncertified=dict(uncertified),
    )
    # Actors have every port from the runtime, which may note what comes of it, or play it again.
    port = runtime.port
    venue, ledger, journal = port("venue", venue), port("ledger", ledger), port("journal", journal)
    price_feed, option_chains = port("price_feed", price_feed), port("option_chains", option_chains)
    corporate_actions = port("corporate_actions", corporate_actions)
    present = port("conditions", conditions or NothingPresent())
    gate: OrderGate = port("gate", cast("OrderGate", runtime.gate))
    signals = port("signals", signals)
    hosted = {name: port(f"service:{name}", each) for name, each in (services or {}).items()}

    def built(settings: Settings) -> Tree:
        plans = plans_of(settings, market, signals)
        guards = settings.guards
        tree = root(
            core(
                ledger=ledger,
                journal=journal,
                venue=venue,
                gate=gate,
                conditions=present,
                terms=guardian_terms(
                    settings,
                    market,
                    account,
                    plans,
                    fees,
                    uncertified,
                    asks_of_actions=corporate_actions is not None,
                ),
                symbols=plans.symbols,
                sessions=market.sessions,
                bar_interval=market.bar_interval,
                loop_interval=settings.runner.loop_interval_seconds * SECOND,
                reconcile_every=guards.deadlines.reconcile_every_seconds * SECOND,
                unknown_limit=guards.deadlines.unknown_outcome_seconds * SECOND,
                history=history_of(plans.all),
                known_bars=known_bars,
                price_feed=price_feed,
                price_age_max=price_age_max,
                # Also those that are switched off: a share must not change while the engine runs.
                contract_shares=contract_shares([bot.bot_id for bot in settings.plugin_bots]),
                fees=fees,
            ),
            bots(
                plans.momentum,
                plans.crypto,
                plans.outsiders,
                options=plans.options,
                chains=option_chains,
                exits=exit_terms(settings, market, plans.bots),
                has_portfolio=settings.portfoliobot.enabled,
            ),
            ops(
                hosted,
                monitor_terms(settings, market.bar_interval),
                plans.symbols,
                actions=corporate_actions,
                traded={plan.bot_id: tuple(plan.warm_ups) for plan in plans.all},
                sessions=market.sessions,
            ),
        )
        return Tree(tree=tree, bots=plans.bots, left_out=plans.left_out, rebuilt=built, parts=parts)

    return built(settings)


def tell_gateway(runtime: Runtime) -> Callable[[VenueWord], None]:
    """How the venue speaks to the engine."""
    voice = runtime.outside("venue")

    def tell(message: VenueWord) -> None:
        voice.tell(paths.BROKER_GATEWAY, message, corr=order_named_in(message))

    return tell


def connect_gate(runtime: Runtime, venue: Venue) -> None:
    """The guardian hears of every trip, and then that all sends in flight have ended.

    Those that take too long are cut off.
    """
    gate, voice = runtime.gate, runtime.outside("gate")

    def tripped(cause: Cause, epoch: int) -> None:
        voice.tell(paths.RISK_GUARDIAN, GateTripped(cause=cause, epoch=epoch))
        gate.when_drained(lambda at: voice.tell(paths.RISK_GUARDIAN, GateDrained(epoch=at)))
        runtime.call_later(DRAIN_WITHIN, lambda: give_up_on(epoch))

    def give_up_on(epoch: int) -> None:
        abandoned = gate.abandon_older_than(epoch)
        if abandoned:
            venue.cut(abandoned)
            voice.tell(paths.RISK_GUARDIAN, GateDrained(epoch=epoch, abandoned=abandoned))

    gate.on_trip(tripped)
