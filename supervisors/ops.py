"""Operations: what people look at, and what is measured beside the orders.

What only people look at is temporary: each may die without anybody else noticing. The execution
monitor is started again: while it is silent entries may risk less, and in the end nothing. So is
the action watch: while that is silent nothing is entered.
"""

from collections.abc import Mapping
from types import MappingProxyType

from actors.action_watch import ActionWatch
from actors.execution_monitor import ExecutionMonitor, MonitorTerms
from actors.reporter import Reporter
from actors.service_host import ServiceHost
from hydra.actor import MINUTE, SECOND, ChildSpec, Restart
from hydra.ports import CorporateActions, Service
from hydra.trading.sessions import NO_SESSIONS, SessionTable
from supervisors import paths
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import Supervisor

POLICY = Supervision(
    strategy=Strategy.ONE_FOR_ONE,
    intensity=(Intensity(3, MINUTE),),
    on_exceeded=OnExceeded.QUARANTINE,
)


NOBODY_TRADES: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def ops(
    services: Mapping[str, Service],
    monitor: MonitorTerms | None = None,
    symbols: tuple[str, ...] = (),
    *,
    actions: CorporateActions | None = None,
    traded: Mapping[str, tuple[str, ...]] = NOBODY_TRADES,
    sessions: SessionTable = NO_SESSIONS,
) -> ChildSpec:
    """The ops supervisor's specification, with what is to be kept open, by name of its actor.

    `monitor`: with the one that measures execution and the markets of these symbols. `actions`:
    with the one that knows of splits and the like, by this source, of what each bot has `traded`.
    """
    children = [
        ChildSpec(
            name=paths.REPORTER.name,
            actor=Reporter,
            args={"persister": paths.STATE_PERSISTER},
            restart=Restart.TEMPORARY,
        ),
    ]
    if monitor is not None:
        children.append(_execution_monitor(monitor, symbols))
    if actions is not None:
        children.append(_action_watch(actions, traded, sessions))
    for name, service in services.items():
        children.append(
            ChildSpec(
                name=name,
                actor=ServiceHost,
                args={"service": service, "what": name.replace("_", " ")},
                restart=Restart.TEMPORARY,
            )
        )
    return ChildSpec(
        name=paths.OPS.name,
        actor=Supervisor,
        args={"children": tuple(children), "policy": POLICY},
        restart=Restart.TEMPORARY,
        hang_after=10 * SECOND,
    )


def _execution_monitor(terms: MonitorTerms, symbols: tuple[str, ...]) -> ChildSpec:
    return ChildSpec(
        name=paths.EXECUTION_MONITOR.name,
        actor=ExecutionMonitor,
        args={
            "terms": terms,
            "symbols": symbols,
            "guardian": paths.RISK_GUARDIAN,
            "feed": paths.DATA_FEED,
        },
    )


def _action_watch(
    actions: CorporateActions, traded: Mapping[str, tuple[str, ...]], sessions: SessionTable
) -> ChildSpec:
    return ChildSpec(
        name=paths.ACTION_WATCH.name,
        actor=ActionWatch,
        args={"actions": actions, "traded": traded, "sessions": sessions, "bots": paths.BOTS},
    )
