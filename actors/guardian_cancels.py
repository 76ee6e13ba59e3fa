"""The guardian's requests for cancels: entries while trading is not open, and what stands in the
way of an exit.
"""

from collections.abc import Collection, Iterable

from hydra.actor import SECOND, Context, Ref
from hydra.trading.cancels import CancelBook
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.risk_book import RiskBook
from hydra.trading.trading_state import Cause, TradingState, state_for
from messages.control import CancelOrder, CancelsDue

CANCELS_EVERY = SECOND


class GuardianCancels:
    """Asks the gateway, within the allowance that cancels have for themselves."""

    def __init__(self, gateway: Ref[CancelOrder], per_minute_max: int) -> None:
        self._gateway = gateway
        self._book = CancelBook(per_minute_max)
        self._overdue: set[str] = set()
        """Orders whose cancel was told to be overdue."""

    @property
    def overdue(self) -> tuple[str, ...]:
        """Entries that work on though their cancel was asked for long ago, by name."""
        return tuple(sorted(self._overdue))

    def entry_opened(self, name: str, decision: DecisionKey) -> None:
        """It may be live from now on."""
        self._book.entry_opened(name, decision.bot, decision.symbol)

    def order_ended(self, name: str) -> None:
        """It has come to its end, whatever it was for."""
        self._book.order_ended(name)
        self._overdue.discard(name)

    def take_entries_out(
        self, stopping: Collection[Cause], ctx: Context, *, while_any: bool
    ) -> None:
        """I10: what is not known to be gone is asked to go, again and again while any is left."""
        now = ctx.now()
        for name in self._book.due(stopping, now):
            ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason="trading is not open"))
        for overdue in self._book.overdue(now):
            if overdue.client_order_id not in self._overdue:
                self._overdue.add(overdue.client_order_id)
                ctx.log(
                    "cancel_overdue",
                    client_order_id=overdue.client_order_id,
                    requests=overdue.requests,
                )
        if stopping and while_any:
            ctx.after(CANCELS_EVERY, CancelsDue())

    def wish(self, name: str, reason: str, ctx: Context) -> None:
        """A bot would like it; passed over if it was asked for just now, or too much was."""
        if self._book.wish(name, ctx.now()):
            ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason=reason))

    def ask(self, name: str, reason: str, ctx: Context) -> None:
        """Ask once, for another reason."""
        self._book.other_request_made(ctx.now())
        ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason=reason))

    def take_unlive_out(
        self, names: Iterable[str], book: RiskBook, causes: Collection[Cause], ctx: Context
    ) -> None:
        """Those that do not come to the market; but a protective one stays while it is halted,
        since no other could take its place (I11).
        """
        for name in names:
            known = book.order(name)
            if known is None:
                continue
            decision = known.decision
            is_halted = state_for(causes, decision.bot, decision.symbol) is TradingState.HALTED
            if not (is_halted and decision.role is Role.PROTECT):
                self.ask(name, "the market does not come to have it", ctx)
