"""How updates of the trading stream get lost, doubled, late, out of order, or odd on their way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import msgspec

from hydra.venues.simulated.brokerage.words import UpdateEvent
from hydra.venues.simulated.server.faults.alterations import Alteration
from hydra.venues.simulated.server.faults.armed_rules import ArmedRules

Message: TypeAlias = dict[str, Any]
"""A message of the stream, with its `data`."""


class Lose(msgspec.Struct, frozen=True, tag="lose", forbid_unknown_fields=True):
    """It is never told."""


class Repeat(msgspec.Struct, frozen=True, tag="repeat", forbid_unknown_fields=True):
    """It is told so many times more."""

    copies: int = 1


class Overtake(msgspec.Struct, frozen=True, tag="overtake", forbid_unknown_fields=True):
    """So many of the updates behind it are told before it."""

    by: int = 1


class Hold(msgspec.Struct, frozen=True, tag="hold", forbid_unknown_fields=True):
    """It is told when the rule is taken back."""


class Delay(msgspec.Struct, frozen=True, tag="delay", forbid_unknown_fields=True):
    """It is told so many seconds of market time later."""

    seconds: float


class Alter(msgspec.Struct, frozen=True, tag="alter", forbid_unknown_fields=True):
    """It is told otherwise: words and fields that nobody knows, fields that are missing.

    The ways to the fields begin in the message's data: "order.status".
    """

    alteration: Alteration


UpdateFault: TypeAlias = Lose | Repeat | Overtake | Hold | Delay | Alter


class UpdateRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which updates a fault strikes; what is None does not matter.

    `client_order_id` may be its end alone. The first `skip` are passed over; of the rest each
    `every`-th is struck, `times` of them; None: all.
    """

    fault: UpdateFault
    event: UpdateEvent | None = None
    symbol: str | None = None
    client_order_id: str | None = None
    skip: int = 0
    every: Annotated[int, msgspec.Meta(ge=1)] = 1
    times: int | None = 1

    def means(self, message: Message) -> bool:
        """Whether it is about such a message."""
        data = message["data"]
        order = data["order"]
        return (
            (self.event is None or data["event"] == self.event.value)
            and self.symbol in (None, order["symbol"])
            and (
                self.client_order_id is None
                or order["client_order_id"].endswith(self.client_order_id)
            )
        )


class UpdateDelivery:
    """Takes what the stream would tell and gives what it tells now, keeping back the rest."""

    def __init__(
        self, rules: ArmedRules[UpdateRule], tell_later: Callable[[float, Message], None]
    ) -> None:
        """`tell_later` tells a message after so many seconds of market time."""
        self._rules = rules
        self._tell_later = tell_later
        self._overtaken: list[_Overtaken] = []
        self._held: dict[int, list[Message]] = {}

    def told(self, message: Message) -> list[Message]:
        """What is told of this one, and of those kept back that it sets free."""
        struck = self._rules.striking(lambda rule: rule.means(message))
        told: list[Message] = []
        if struck is None:
            self._tell(message, told)
            return told
        match struck.rule.fault:
            case Lose():
                pass
            case Repeat(copies=copies):
                for _ in range(1 + copies):
                    self._tell(message, told)
            case Overtake(by=by):
                self._overtaken.append(_Overtaken(by, message))
            case Hold():
                self._held.setdefault(struck.number, []).append(message)
            case Delay(seconds=seconds):
                self._tell_later(seconds, message)
            case Alter(alteration=alteration):
                self._tell(message | {"data": alteration.of(message["data"])}, told)
        return told

    def released(self, number: int) -> list[Message]:
        """What the rule of this number held, now that it is taken back."""
        told: list[Message] = []
        for message in self._held.pop(number, ()):
            self._tell(message, told)
        return told

    def _tell(self, message: Message, told: list[Message]) -> None:
        told.append(message)
        passed = [_Overtaken(kept.by - 1, kept.message) for kept in self._overtaken]
        self._overtaken = [kept for kept in passed if kept.by > 0]
        for kept in passed:
            if kept.by <= 0:
                self._tell(kept.message, told)


class _Overtaken(msgspec.Struct, frozen=True):
    by: int
    message: Message
