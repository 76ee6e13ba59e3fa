"""The core: the safety chain, the feed and the health monitor, in the order they depend on."""

from actors.broker_gateway import BrokerGateway
from actors.data_feed import DataFeed
from actors.health_monitor import HealthMonitor
from actors.journal_writer import JournalWriter
from actors.risk_guardian import GuardianLimits, RiskGuardian
from actors.state_persister import StatePersister
from hydra.actor import (
    MINUTE,
    SECOND,
    ChildSpec,
    Dispatcher,
    MailboxSpec,
    Overflow,
    Restart,
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
    loop_interval: int,
) -> ChildSpec:
    """The core supervisor's specification."""
    children = (
        ChildSpec(
            name=paths.STATE_PERSISTER.name,
            actor=StatePersister,
            args={"ledger": ledger, "gateway": paths.BROKER_GATEWAY},
            critical=True,
            drain_on_stop=True,
            dispatcher=Dispatcher.PINNED,
            mailbox=ORDER_PATH,
        ),
        ChildSpec(
            name=paths.JOURNAL_WRITER.name,
            actor=JournalWriter,
            args={"journal": journal},
            critical=True,
            drain_on_stop=True,
            dispatcher=Dispatcher.PINNED,
            mailbox=ORDER_PATH,
        ),
        ChildSpec(
            name=paths.RISK_GUARDIAN.name,
            actor=RiskGuardian,
            args={"limits": limits, "gate": gate, "persister": paths.STATE_PERSISTER},
            critical=True,
            dispatcher=Dispatcher.PINNED,
            mailbox=ORDER_PATH,
        ),
        ChildSpec(
            name=paths.BROKER_GATEWAY.name,
            actor=BrokerGateway,
            args={"venue": venue, "gate": gate, "persister": paths.STATE_PERSISTER},
            critical=True,
            dispatcher=Dispatcher.PINNED,
            mailbox=ORDER_PATH,
        ),
        ChildSpec(
            name=paths.DATA_FEED.name,
            actor=DataFeed,
            args={"symbols": tuple(sorted(limits.symbols)), "sessions": sessions},
            dispatcher=Dispatcher.PINNED,
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
        restart=Restart.PERMANENT,
        hang_after=10 * SECOND,
    )
