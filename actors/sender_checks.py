"""Who may say what: the way of an order goes through the guardian, whoever else has its addresses.

Bots of other distributions run in this process. That they are given the guardian's address alone
is no proof; this is.
"""

from collections.abc import Mapping
from typing import Any

from hydra.actor import Context, Ref
from hydra.trading.account_day import decision_day
from hydra.trading.orders import Denial
from hydra.trading.risk_book import RiskBook
from hydra.trading.sessions import SessionTable
from hydra.trading.working_orders import WorkingOrder
from messages.orders import CancelIntent, OrderIntent


class Forged(Exception):
    """Somebody said what only another may say. Who is told of an order past the guardian halts the
    engine until a person looked; a bot of another distribution fails before it is said.
    """


def require_sender(wanted: Ref[Any], what: str, ctx: Context) -> None:
    """Raises `Forged` if another actor than `wanted` says this. No actor: it is from outside."""
    sender = ctx.sender
    if sender is not None and sender != wanted:
        raise Forged(f"{sender.path} sent {what}, which only {wanted.path} may send")


def not_its_own(
    wish: OrderIntent | CancelIntent,
    foreign: Mapping[str, str],
    ctx: Context,
    book: RiskBook,
    sessions: SessionTable,
) -> Denial | None:
    """Why a plug-in's bot, or an actor below it, may not decide this; None: it may, or is no such.

    `foreign` has their paths, each with the bot's id; the book knows whose order is replaced. An
    entry is of the trading day that it is, since the day's limits are counted by that from the
    record.
    """
    sender = "" if ctx.sender is None else ctx.sender.path
    decision, replaces = wish.decision, wish.replaces if isinstance(wish, OrderIntent) else None
    for path, bot in foreign.items():
        is_it = sender == path or sender.startswith(f"{path}/")
        if is_it and (decision.bot != bot or decision.signal < 0):
            reason = f"{sender} decided in the name of {decision.bot}, wanted its own, {bot}"
            return Denial(NOT_ITS_OWN, reason)
        if is_it and replaces is not None and not _is_of(bot, book.order(replaces)):
            return Denial(NOT_ITS_OWN, f"{sender} replaces {replaces}, which is no order of {bot}")
        if is_it and isinstance(wish, OrderIntent) and not decision.role.reduces:
            # Both, since it may begin on the way here.
            days = [decision_day(sessions, at) for at in (ctx.market_time(), wish.decided_at)]
            if decision.session not in days:
                reason = f"{sender} decided on an entry of {decision.session}, wanted {days[0]}"
                return Denial(NOT_ITS_OWN, reason)
    return None


def _is_of(bot: str, order: WorkingOrder | None) -> bool:
    return order is not None and order.decision.bot == bot


NOT_ITS_OWN = "decision_is_its_own"
"""The name of that denial; it is about who asks, not about the situation."""
