"""Faults that wait for the order or the request that they are to strike."""

from decimal import Decimal
from typing import TypeAlias, TypeVar

from hydra.venues.simulated.brokerage.acts import (
    FillAfterCancel,
    FillInParts,
    HoldCancels,
    RejectCancels,
    RejectLate,
    RejectReplacements,
)

Armed: TypeAlias = (
    RejectLate | HoldCancels | RejectCancels | RejectReplacements | FillAfterCancel | FillInParts
)
A = TypeVar("A", bound=Armed)


class Arming:
    """What is armed strikes in the order of arming, each as often as it says.

    `held_cancels` are the orders whose cancel is being held; `pieces` what is still to be executed
    in parts, as shares of the whole.
    """

    def __init__(self) -> None:
        self._armed: list[tuple[Armed, int]] = []
        self.held_cancels: dict[str, None] = {}
        self.pieces: dict[str, tuple[Decimal, ...]] = {}

    def arm(self, act: Armed) -> None:
        """From now on."""
        self._armed.append((act, act.times))

    def strike(self, kind: type[A], symbol: str) -> A | None:
        """The first of this kind that is meant for the symbol; it is used up by one."""
        for place, (act, left) in enumerate(self._armed):
            if isinstance(act, kind) and act.symbol in ("", symbol):
                if left > 1:
                    self._armed[place] = (act, left - 1)
                else:
                    del self._armed[place]
                return act
        return None
