"""The guardian's requests for cancels: entries while trading is not open, what stands in the way of
an exit, and what the venue shows to be wrong; and which of the bots' wishes it follows.
"""

from collections.abc import Collection
from typing import Any

from hydra.actor import SECOND, Context, Ref
from hydra.trading.cancels import CancelBook
from hydra.trading.never_live import never_live
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.reversing_orders import reversing
from hydra.trading.risk_book import RiskBook
from hydra.trading.sessions import SessionTable, hours_of
from hydra.trading.trading_state import Cause, TradingState, state_for
from hydra.trading.venue_view import VenueSnapshot
from hydra.trading.working_orders import WorkingOrder
from messages.control import CancelOrder, CancelsDue
from messages.positions import BookChanged

CANCELS_EVERY = SECOND


class GuardianCancels:
    """Asks the gateway, within the allowance that cancels have for themselves."""

    def __init__(
        self, gateway: Ref[CancelOrder], sessions: SessionTable, per_minute_max: int
    ) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._book = CancelBook(per_minute_max)
        self._overdue: set[str] = set()
        """Orders whose cancel was told to be overdue."""
        self._kept_in: dict[str, tuple[Ref[Any], ...]] = {}
        """Whose exits, or stops, an entry stands in the way of, by its name."""

    @property
    def overdue(self) -> tuple[str, ...]:
        """Entries that work on though their cancel was asked for long ago, by name."""
        return tuple(sorted(self._overdue))

    def entry_opened(self, name: str, decision: DecisionKey) -> None:
        """It may be live from now on."""
        self._book.entry_opened(name, decision.bot, decision.symbol)

    def order_ended(self, name: str, ctx: Context) -> None:
        """It has come to its end, whatever it was for. Whose exit it kept in looks again: the next
        bar may be a minute away.
        """
        self._book.order_ended(name)
        self._overdue.discard(name)
        for bot in self._kept_in.pop(name, ()):
            ctx.tell(bot, BookChanged())

    def clear_the_way(self, name: str, ctx: Context, bot: Ref[Any] | None) -> None:
        """What reduces goes before what enters: no resting entry may keep a position in (K3). `bot`
        waits for its end; None: nobody does.
        """
        if bot is not None:
            others = [each for each in self._kept_in.get(name, ()) if each != bot]
            self._kept_in[name] = (*others, bot)
        self.ask(name, "it stands in the way of an exit", ctx)

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

    def wish(
        self, order: WorkingOrder, reason: str, causes: Collection[Cause], ctx: Context
    ) -> None:
        """A bot would like it; passed over if it was asked for just now, or too much was, and
        refused if that would only take protection off (I11).
        """
        name, decision = order.order.client_order_id, order.decision
        if self._must_stay(decision, causes, ctx):
            state = state_for(causes, decision.bot, decision.symbol)
            ctx.log("cancel_refused", client_order_id=name, reason=reason, state=state.name)
        elif self._book.wish(name, ctx.now()):
            ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason=reason))

    def ask(self, name: str, reason: str, ctx: Context) -> None:
        """Ask once, for another reason."""
        self._book.other_request_made(ctx.now())
        ctx.tell(self._gateway, CancelOrder(client_order_id=name, reason=reason))

    def account_read(
        self, snapshot: VenueSnapshot, book: RiskBook, causes: Collection[Cause], ctx: Context
    ) -> None:
        """Take out what the venue shows and nobody else would have taken out.

        That is what does not come to the market, but for protection that must stay (I11); and what
        would turn a position round, which is no protection, where no exit passes. Where one does
        the bots see to that: record and venue agree there on what is held, else it were halted.
        """
        for name in never_live(snapshot.orders, self._sessions, ctx.market_time()):
            known = book.order(name)
            if known is not None and not self._must_stay(known.decision, causes, ctx):
                self.ask(name, "the market does not come to have it", ctx)
        for name in reversing(snapshot, book):
            known = book.order(name)
            if known is not None and self._no_exit_passes(known.decision, causes, ctx):
                self.ask(name, "it closes more than the venue holds", ctx)

    def _must_stay(self, decision: DecisionKey, causes: Collection[Cause], ctx: Context) -> bool:
        """A protective order goes where an exit is to come: where none could pass it stays."""
        return decision.role is Role.PROTECT and self._no_exit_passes(decision, causes, ctx)

    def _no_exit_passes(
        self, decision: DecisionKey, causes: Collection[Cause], ctx: Context
    ) -> bool:
        if state_for(causes, decision.bot, decision.symbol) is TradingState.HALTED:
            return True
        return hours_of(decision.symbol, self._sessions).at(ctx.market_time()) is None
