"""The root: losing the core or the bots is a fail-closed stop of the whole engine."""

from hydra.actor import SECOND, ChildSpec
from supervisors import paths
from supervisors.strategies import Intensity, Strategy, Supervision
from supervisors.supervisor import Supervisor

POLICY = Supervision(strategy=Strategy.ONE_FOR_ALL, intensity=(Intensity(0, SECOND),))


def root(core: ChildSpec, bots: ChildSpec, ops: ChildSpec) -> ChildSpec:
    """The whole tree."""
    return ChildSpec(
        name=paths.ROOT.name,
        actor=Supervisor,
        args={"children": (core, bots, ops), "policy": POLICY},
        hang_after=10 * SECOND,
    )
