"""The bots: each alone with its own restart budget, then quarantined. A new bot is named here."""

from actors.momentum_bot import MomentumBot, MomentumPlan
from hydra.actor import MINUTE, SECOND, ChildSpec, MailboxSpec, Overflow
from supervisors import paths
from supervisors.strategies import Intensity, OnExceeded, Strategy, Supervision
from supervisors.supervisor import Supervisor

POLICY = Supervision(
    strategy=Strategy.ONE_FOR_ONE,
    intensity=(Intensity(3, MINUTE),),
    on_exceeded=OnExceeded.QUARANTINE,
)

NOTHING_LOST = MailboxSpec(overflow=Overflow.FAIL)
"""A bot that misses a fill does not know what it holds: it starts again, from the record."""


def bots(momentum: tuple[MomentumPlan, ...]) -> ChildSpec:
    """The bots supervisor's specification."""
    children = tuple(
        ChildSpec(
            name=plan.bot_id,
            actor=MomentumBot,
            args={"plan": plan, "guardian": paths.RISK_GUARDIAN, "feed": paths.DATA_FEED},
            mailbox=NOTHING_LOST,
        )
        for plan in momentum
    )
    return ChildSpec(
        name=paths.BOTS.name,
        actor=Supervisor,
        args={"children": children, "policy": POLICY},
        hang_after=10 * SECOND,
    )
