"""Checks of what an entry puts at stake: value, exposure, open risk, losses so far, budgets.

Only entries are asked. A position must never be locked in because of what it is worth, of what was
lost with it, or of a budget that is spent.
"""

from decimal import Decimal

from hydra.trading.exact import percent_of, subtract
from hydra.trading.instruments import value_of
from hydra.trading.situation import Proposal, Situation


def order_value(proposal: Proposal, market_price: Decimal | None) -> Decimal | None:
    """What the order is worth (USD) at the highest of all prices that concern it; None without any.

    So whatever it comes to trade at, no more was at stake than was counted.
    """
    prices = [
        price
        for price in (
            market_price,
            proposal.limit_price,
            proposal.stop_price,
            proposal.reference_price,
        )
        if price is not None
    ]
    return value_of(proposal.symbol, proposal.quantity, max(prices)) if prices else None


def order_quantity_is_within_limit(s: Situation) -> str | None:
    """One order is not larger than a person would ever mean."""
    if s.proposal.reduces or s.proposal.quantity <= s.limits.order_quantity_max:
        return None
    return (
        f"order is for {s.proposal.quantity:f} {s.proposal.symbol}, "
        f"at most {s.limits.order_quantity_max:f} allowed"
    )


def order_value_is_within_limit(s: Situation) -> str | None:
    """One order's value is known and within its limit."""
    if s.proposal.reduces:
        return None
    value = order_value(s.proposal, s.market.price)
    return _within("order value", value, s.limits.order_notional_usd_max)


def symbol_exposure_is_within_limit(s: Situation) -> str | None:
    """All bots together, in the symbol."""
    if s.proposal.reduces:
        return None
    found = s.book.symbol_exposure_after
    return _within("exposure in the symbol after it", found, s.limits.symbol_exposure_usd_max)


def bot_exposure_is_within_limit(s: Situation) -> str | None:
    """This bot, in all its symbols."""
    if s.proposal.reduces:
        return None
    found = s.book.bot_exposure_after
    return _within("exposure of the bot after it", found, s.limits.bot_exposure_usd_max)


def equity_is_known(s: Situation) -> str | None:
    """Nobody can say how much is too much of an account whose worth is not known, or gone."""
    if s.proposal.reduces:
        return None
    now, day_start, peak = s.equity.equity, s.equity.day_start, s.equity.peak
    if _is_positive(now) and _is_positive(day_start) and _is_positive(peak):
        return None
    return (
        f"equity is {_usd(now)}, {_usd(day_start)} when the day began, {_usd(peak)} at its peak; "
        "wanted all known and above 0"
    )


def gross_exposure_is_within_limit(s: Situation) -> str | None:
    """All bots in all symbols, in percent of equity."""
    if s.proposal.reduces:
        return None
    pct = s.limits.gross_exposure_pct_max
    return _within_share(
        "gross exposure after it", s.book.gross_exposure_after, s.equity.equity, pct
    )


def cash_reserve_is_kept(s: Situation) -> str | None:
    """What would be left in cash once all working buys and this one are paid, at their worst, and
    what is short is bought back: what it was sold for is in the cash, and not ours to spend.
    """
    if s.proposal.reduces:
        return None
    cash, buying, equity = s.equity.cash, s.book.buying_after, s.equity.equity
    shorts, pct = s.book.shorts_after, s.limits.cash_reserve_pct
    if cash is None or buying is None or shorts is None or equity is None:
        return (
            f"cash is {_usd(cash)}, working buys and this one {_usd(buying)}{_buying_back(shorts)}"
            f", at least {pct:f} % of {_usd(equity)} wanted in reserve"
        )
    left, reserve = subtract(subtract(cash, buying), shorts), percent_of(equity, pct)
    if left >= reserve:
        return None
    return (
        f"cash after it {_usd(left)} ({_usd(cash)} less {_usd(buying)} of working buys and this "
        f"one{_buying_back(shorts)}), at least {_usd(reserve)} ({pct:f} % of {_usd(equity)}) wanted"
        " in reserve"
    )


def _buying_back(shorts: Decimal | None) -> str:
    """Nothing where nothing is short, which is nearly always."""
    return "" if shorts == 0 else f", and {_usd(shorts)} to buy back what is short"


def heat_is_within_limit(s: Situation) -> str | None:
    """What is lost if everything is stopped out with the gap, in percent of equity."""
    if s.proposal.reduces:
        return None
    pct = s.limits.heat_pct_max
    return _within_share("open risk after it", s.book.heat_after, s.equity.equity, pct)


def daily_loss_is_within_limit(s: Situation) -> str | None:
    """Down from where the day began."""
    if s.proposal.reduces:
        return None
    start, pct = s.equity.day_start, s.limits.daily_loss_pct_max
    return _within_share("loss today", _fall(start, s.equity.equity), start, pct)


def drawdown_is_within_limit(s: Situation) -> str | None:
    """Down from the highest of the session."""
    if s.proposal.reduces:
        return None
    peak, pct = s.equity.peak, s.limits.drawdown_pct_max
    return _within_share("drawdown", _fall(peak, s.equity.equity), peak, pct)


def bot_budget_covers_loss(s: Situation) -> str | None:
    """What the bot may still lose today."""
    return _covers("bot", s.budget.bot_left, s)


def bucket_budget_covers_loss(s: Situation) -> str | None:
    """What all bots of its kind may still lose today."""
    return _covers("bucket", s.budget.bucket_left, s)


def day_budget_covers_loss(s: Situation) -> str | None:
    """What the whole account may still lose today, everything open stopped out (K11)."""
    return _covers("day", s.budget.day_left, s)


def _covers(whose: str, left: Decimal | None, s: Situation) -> str | None:
    if s.proposal.reduces:
        return None
    loss = s.book.loss_at_stop
    if left is None:
        return f"no budget was granted for the {whose}"
    # An entry that can lose nothing is one whose loss was not counted.
    if loss is None or not loss > 0:
        return f"its loss at the stop is {_usd(loss)}: no budget can be asked for that"
    if loss <= left:
        return None
    return f"its loss at the stop is {_usd(loss)}, the budget left for the {whose} {_usd(left)}"


def _within(what: str, found: Decimal | None, allowed: Decimal) -> str | None:
    if found is None:
        return f"{what} is unknown, at most {_usd(allowed)} allowed"
    if found <= allowed:
        return None
    return f"{what} {_usd(found)}, at most {_usd(allowed)} allowed"


def _within_share(
    what: str, found: Decimal | None, whole: Decimal | None, pct: Decimal
) -> str | None:
    if found is None or whole is None:
        return f"{what} is {_usd(found)}, at most {pct:f} % of {_usd(whole)} allowed"
    allowed = percent_of(whole, pct)
    if found <= allowed:
        return None
    return f"{what} {_usd(found)}, at most {_usd(allowed)} ({pct:f} % of {_usd(whole)}) allowed"


def _is_positive(amount: Decimal | None) -> bool:
    return amount is not None and amount > 0


def _fall(since: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if since is None or equity is None else subtract(since, equity)


def _usd(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:f} USD"
