"""Actors that stand in the place of others, for tests and measurements of the rest."""

from decimal import Decimal

from hydra.actor import Actor, Context
from messages.loops import LOOP_TOPIC
from messages.message import Message
from messages.protection import COVERAGE_TOPIC, CoverageReported


class AllProtected(Actor[Message]):
    """In the exit bot's place: it vouches each loop that nothing is without protection.

    Only for where the protection of positions is not what is looked at.
    """

    def start(self, ctx: Context) -> None:
        ctx.subscribe(LOOP_TOPIC)
        self._vouch(ctx)

    def receive(self, message: Message, ctx: Context) -> None:
        self._vouch(ctx)

    def _vouch(self, ctx: Context) -> None:
        told = CoverageReported(
            at=ctx.market_time(),
            is_known=True,
            pct=Decimal(100),
            lines=(),
            mismatches=(),
            uncovered={},
        )
        ctx.publish(COVERAGE_TOPIC, told)
