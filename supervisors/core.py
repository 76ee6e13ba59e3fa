"""The core: the safety chain, the feed and the health monitor, in the order they depend on."""

from typing import Any

from actors.broker_gateway import BrokerGateway
from actors.data_feed import DataFeed
from actors.health_monitor import HealthMonitor
from actors.journal_writer import JournalWriter
from actors.risk_guardian import GuardianLimits, RiskGuardian
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
from hydra.ports import Journal, Ledger, OrderGate, Venue
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


def core(
    *,
    ledger: Ledger,
    journal: Journal,
    venue: Venue,
    gate: OrderGate,
    limits: GuardianLimits,
    sessions: SessionTable,
    bar_interval: int,
    loop_interval: int,
) -> ChildSpec:
    """The core supervisor's specification."""
    children = (
        _safety_chain(
            paths.STATE_PERSISTER,
            StatePersister,
            drain_on_stop=True,
            ledger=ledger,
            gateway=paths.BROKER_GATEWAY,
        ),
        _safety_chain(paths.JOURNAL_WRITER, JournalWriter, drain_on_stop=True, journal=journal),
        _safety_chain(
            paths.RISK_GUARDIAN,
            RiskGuardian,
            limits=limits,
            gate=gate,
            persister=paths.STATE_PERSISTER,
        ),
        _safety_chain(
            paths.BROKER_GATEWAY,
            BrokerGateway,
            venue=venue,
            gate=gate,
            persister=paths.STATE_PERSISTER,
        ),
        ChildSpec(
            name=paths.DATA_FEED.name,
            actor=DataFeed,
            args={
                "symbols": tuple(sorted(limits.symbols)),
                "sessions": sessions,
                "bar_interval": bar_interval,
            },
            dispatcher=Dispatcher.PINNED,
            mailbox=ORDER_PATH,
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
                "loop_interval": loop_interval,
            },
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
