"""Operations: what people look at. Temporary: each may die without anybody else noticing."""

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


def ops(debug_server: Service | None) -> ChildSpec:
    """The ops supervisor's specification. No debug server in virtual time: None."""
    children = [
        ChildSpec(name=paths.REPORTER.name, actor=Reporter, restart=Restart.TEMPORARY),
    ]
    if debug_server is not None:
        children.append(
            ChildSpec(
                name="debug_server",
                actor=ServiceHost,
                args={"service": debug_server, "what": "debug socket"},
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
