"""The core: the safety chain, the feed and the health monitor, in the order they depend on."""

from collections.abc import Mapping
from typing import Any

from actors.broker_gateway import BrokerGateway
from actors.data_feed import NO_HISTORY, NO_PLUGINS, DataFeed, newest_quote
from actors.flattener import Flattener
from actors.guardian_terms import GuardianTerms
from actors.health_monitor import HealthMonitor
from actors.journal_writer import JournalWriter
from actors.risk_guardian import RiskGuardian
from actors.state_persister import StatePersister
from hydra.actor import (
    MINUTE,
    SECOND,
    Actor,
    ChildSpec,
    Dispatcher,
    MailboxSpec,
    Overflow,
    Ref,
)
from hydra.ports import Conditions, Journal, Ledger, OrderGate, PriceFeed, Venue
from hydra.trading.bars import Bar
from hydra.trading.fees import NO_FEES, FeeSchedule
from hydra.trading.sessions import SessionTable
from supervisors import paths
from supervisors.strategies import Intensity, Strategy, Supervision
from supervisors.supervisor import Supervisor

POLICY = Supervision(
    strategy=Strategy.REST_FOR_ONE,
    intensity=(Intensity(1, MINUTE), Intensity(3, 10 * MINUTE)),
)

ORDER_PATH = MailboxSpec(bound=100_000, overflow=Overflow.FAIL)
"""On the order path a message that does not fit is a failure, never a silent loss."""
PRICES = MailboxSpec(bound=100_000, overflow=Overflow.FAIL, conflate=newest_quote)
"""A feed that falls behind sees the newest quote of each symbol, and every bar."""


def core(
    *,
    ledger: Ledger,
    journal: Journal,
    venue: Venue,
    gate: OrderGate,
    conditions: Conditions,
    terms: GuardianTerms,
    symbols: tuple[str, ...],
    sessions: SessionTable,
    bar_interval: int,
    loop_interval: int,
    reconcile_every: int,
    unknown_limit: int,
    price_feed: PriceFeed | None = None,
    price_age_max: int = 0,
    history: Mapping[str, int] = NO_HISTORY,
    known_bars: tuple[Bar, ...] = (),
    contract_shares: Mapping[str, int] = NO_PLUGINS,
    fees: FeeSchedule = NO_FEES,
) -> ChildSpec:
    """The core supervisor's specification. Intervals and limits of time in nanoseconds.

    `price_feed`: where live prices come from, each of which counts for `price_age_max`; None: the
    market is one of bars alone. `history`: how many bars of each symbol the feed keeps for bots;
    `known_bars` are those of before, in order. `contract_shares`: see `DataFeed`.
    `fees`: what the venue keeps of executions.
    """
    children: tuple[ChildSpec, ...] = (
        _safety_chain(
            paths.STATE_PERSISTER,
            StatePersister,
            drain_on_stop=True,
            ledger=ledger,
            gateway=paths.BROKER_GATEWAY,
            guardian=paths.RISK_GUARDIAN,
            fees=fees,
            sessions=sessions,
        ),
        _safety_chain(paths.JOURNAL_WRITER, JournalWriter, drain_on_stop=True, journal=journal),
        _safety_chain(
            paths.RISK_GUARDIAN,
            RiskGuardian,
            terms=terms,
            gate=gate,
            conditions=conditions,
            persister=paths.STATE_PERSISTER,
            gateway=paths.BROKER_GATEWAY,
            flattener=paths.FLATTENER,
            portfolio=paths.PORTFOLIO_BOT,
        ),
        _safety_chain(
            paths.BROKER_GATEWAY,
            BrokerGateway,
            venue=venue,
            gate=gate,
            persister=paths.STATE_PERSISTER,
            guardian=paths.RISK_GUARDIAN,
            reconcile_every=reconcile_every,
            unknown_limit=unknown_limit,
        ),
        ChildSpec(
            name=paths.DATA_FEED.name,
            actor=DataFeed,
            args={
                "symbols": symbols,
                "sessions": sessions,
                "bar_interval": bar_interval,
                "feed": price_feed,
                "price_age_max": price_age_max,
                "history": history,
                "known": known_bars,
                "contract_shares": contract_shares,
            },
            dispatcher=Dispatcher.PINNED,
            mailbox=ORDER_PATH if price_feed is None else PRICES,
        ),
        ChildSpec(
            name=paths.HEALTH_MONITOR.name,
            actor=HealthMonitor,
            args={
                "components": (
                    paths.STATE_PERSISTER,
                    paths.JOURNAL_WRITER,
                    paths.RISK_GUARDIAN,
                    paths.BROKER_GATEWAY,
                    paths.DATA_FEED,
                ),
                "guardian": paths.RISK_GUARDIAN,
                "persister": paths.STATE_PERSISTER,
                "loop_interval": loop_interval,
            },
        ),
    )
    children += (
        ChildSpec(
            name=paths.FLATTENER.name,
            actor=Flattener,
            args={
                "gate": gate,
                "persister": paths.STATE_PERSISTER,
                "guardian": paths.RISK_GUARDIAN,
                "gateway": paths.BROKER_GATEWAY,
                "sessions": sessions,
                "coins": terms.desk.coins,
            },
            dispatcher=Dispatcher.PINNED,
            mailbox=ORDER_PATH,
        ),
    )
    return ChildSpec(
        name=paths.CORE.name,
        actor=Supervisor,
        args={"children": children, "policy": POLICY},
        hang_after=10 * SECOND,
    )


def _safety_chain(
    ref: Ref[Any], actor: type[Actor[Any]], *, drain_on_stop: bool = False, **args: object
) -> ChildSpec:
    """A member of the safety chain: its failure shuts the order gate before anything else."""
    return ChildSpec(
        name=ref.name,
        actor=actor,
        args=args,
        critical=True,
        drain_on_stop=drain_on_stop,
        dispatcher=Dispatcher.PINNED,
        mailbox=ORDER_PATH,
    )
