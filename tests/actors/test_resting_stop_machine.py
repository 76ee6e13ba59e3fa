"""A momentum bot under any order of events: never over-covered, never bare while the venue answers.

Executions, cancels, refusals, denials and crashes come in any order; the rules are held against
what the venue knows, not against what the bot has been told.
"""

from decimal import Decimal

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hydra.trading.orders import Role, Side
from tests.actors.stop_stage import PLAN, Sent, StopStage

TRAILING = msgspec.structs.replace(
    PLAN, exits=msgspec.structs.replace(PLAN.exits, trailing_stop_pct=Decimal("0.4"))
)
PRICES = st.integers(9_930, 10_120).map(lambda cents: f"{cents / 100:.2f}")


class StopMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stage = StopStage(TRAILING)
        self.crashes = 0
        self.lost = False
        """Whether the venue refused, or took out, what it was not asked to, since it was flat."""

    def _pick(self, data: st.DataObject, orders: list[Sent]) -> Sent:
        return orders[data.draw(st.integers(0, len(orders) - 1))]

    @property
    def waiting(self) -> list[Sent]:
        return [each for each in self.stage.live() if not each.is_accepted]

    @property
    def working(self) -> list[Sent]:
        return [each for each in self.stage.live() if each.is_accepted]

    @property
    def asked_out(self) -> list[Sent]:
        return [each for each in self.working if each.is_asked_out]

    @rule(prices=st.lists(PRICES, min_size=3, max_size=3))
    def bar(self, prices: list[str]) -> None:
        low, close, high = sorted(prices, key=Decimal)
        self.crashes = 0
        self.stage.bar(low, high, close)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        self.stage.accept(self._pick(data, self.waiting))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def deny(self, data: st.DataObject) -> None:
        self.stage.deny(self._pick(data, self.waiting))

    @precondition(lambda self: any(not each.filled for each in self.stage.live()))
    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        order = self._pick(data, [each for each in self.stage.live() if not each.filled])
        self.lost |= order.role is Role.PROTECT
        self.stage.reject(order)

    @precondition(lambda self: self.stage.live())
    @rule(data=st.data(), whole=st.booleans())
    def fill(self, data: st.DataObject, whole: bool) -> None:
        order = self._pick(data, self.stage.live())  # an execution can outrun the acceptance
        quantity = order.left if whole else Decimal(data.draw(st.integers(1, int(order.left))))
        self.stage.fill(order, quantity)
        self.lost &= self.stage.position > 0

    @precondition(lambda self: self.asked_out)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.stage.cancel(self._pick(data, self.asked_out))

    @precondition(lambda self: self.working)
    @rule(data=st.data())
    def cancel_by_somebody(self, data: st.DataObject) -> None:
        order = self._pick(data, self.working)
        self.lost |= order.role is Role.PROTECT and not order.is_asked_out
        self.stage.cancel(order)

    @precondition(lambda self: self.crashes == 0)
    @rule()
    def crash(self) -> None:
        self.crashes += 1
        self.stage.crash()

    @rule(close=PRICES)
    def venue_answers(self, close: str) -> None:
        """A bar, and all that it leads to: from then on what is held is under a stop, or sold."""
        self.crashes = 0
        self.stage.bar(close, close, close)
        self.stage.answer_everything()
        if not self.lost:
            assert self.stage.being_sold == self.stage.position

    @invariant()
    def never_is_more_being_sold_than_is_held(self) -> None:
        assert 0 <= self.stage.being_sold <= self.stage.position

    @invariant()
    def nothing_is_sold_beside_a_stop(self) -> None:
        assert not (self.stage.live(Role.EXIT) and self.stage.live(Role.PROTECT))

    @invariant()
    def no_stop_comes_beside_an_entry(self) -> None:
        newest = self.stage.sent[-1:]
        if newest and newest[0].role is Role.PROTECT and not newest[0].is_accepted:
            entries = self.stage.live(Role.ENTRY)
            assert not [each for each in entries if each.intent.side is Side.BUY]


StopMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestStopMachine = StopMachine.TestCase
