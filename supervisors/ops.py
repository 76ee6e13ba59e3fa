"""Operations: what people look at. Temporary: each may die without anybody else noticing."""

from collections.abc import Mapping

from actors.reporter import Reporter
from actors.service_host import ServiceHost
from hydra.actor import MINUTE, SECOND, ChildSpec, Restart
from hydra.ports import Service
from supervisors import paths
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import Supervisor

POLICY = Supervision(
    strategy=Strategy.ONE_FOR_ONE,
    intensity=(Intensity(3, MINUTE),),
    on_exceeded=OnExceeded.QUARANTINE,
)


def ops(services: Mapping[str, Service]) -> ChildSpec:
    """The ops supervisor's specification, with what is to be kept open, by name of its actor."""
    children = [
        ChildSpec(name=paths.REPORTER.name, actor=Reporter, restart=Restart.TEMPORARY),
    ]
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
