"""One order that somebody would like, and all that the checks may know of the world around it.

The risk guardian puts it together from what it keeps (`risk_book`, `rates`, `account_day`, the
causes), the checks of `risk_checks` judge it, and the journal keeps it whole: whoever reads the
record later can judge again and must come to the same answer (I90). Money is in the account's
currency (USD), quantities in units of the symbol, times are market time (UTC ns), durations ns.
"""

from decimal import Decimal

import msgspec

from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.trading_state import TradingState


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted, exactly as it would be sent, and on what view of the market.

    `reference_price` is what the bot saw; `protective_stop` where it means to give an entry up.
    """

    bot: str
    symbol: str
    role: Role
    side: Side
    quantity: Decimal
    order_type: OrderType
    reference_price: Decimal | None
    decided_at: int
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    protective_stop: Decimal | None = None
    replaces: str | None = None

    @property
    def reduces(self) -> bool:
        """It says that it reduces. What says anything else is held to all that an entry is."""
        return self.role in _REDUCING


_REDUCING = (Role.EXIT, Role.PROTECT, Role.FLATTEN)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed. Every number is over zero; none means "unlimited" (I40)."""

    symbols: frozenset[tuple[str, str]]
    """Which bot may enter which symbol: none what only another is there for."""
    order_notional_usd_max: Decimal
    order_quantity_max: Decimal
    price_collar_pct: Decimal
    """How far a limit or stop price may lie from the market, in percent of it."""
    symbol_exposure_usd_max: Decimal
    """Worst case, all bots together, in one symbol."""
    bot_exposure_usd_max: Decimal
    gross_exposure_pct_max: Decimal
    """Worst case, all bots and symbols, in percent of equity."""
    heat_pct_max: Decimal
    """Open risk: what is lost if all that is held and all working entries are stopped out, in
    percent of equity."""
    gap_factor: Decimal
    """At least 1: a stop is taken to be executed this many times as far away as it is."""
    daily_loss_pct_max: Decimal
    drawdown_pct_max: Decimal
    """From the session's peak equity."""
    cash_reserve_pct: Decimal
    """Of equity: entries leave at least so much of it in cash."""
    entries_per_minute_max: int
    entries_per_minute_symbol_max: int
    exits_per_minute_max: int
    cancels_per_minute_max: int
    entry_gap_ns_min: int
    """Between two entries of one bot."""
    notional_window_ns: int
    notional_per_window_usd_max: Decimal
    """Of all entries attempted within the window."""
    entries_per_day_max: int
    notional_per_day_usd_max: Decimal
    """Of all entries attempted in the session."""
    rejections_in_a_row_max: int
    """Of one symbol, by the venue."""
    round_trips_per_day_max: int
    """Of one bot; then a person has to look."""
    decision_age_ns_max: int
    price_age_ns_max: int
    protection_confirm_ns: int
    """Machine time for which something that is held may be unprotected before entries stop."""
    similar_order_ns: int
    """Two orders alike (bot, symbol, side, quantity, type) within this are one mistake (I16)."""
    option_roots: frozenset[tuple[str, str]] = frozenset()
    """Which bot may enter option contracts, and with what their symbols begin."""
    bot_entries_per_day_max: int = 10_000
    """Of this bot. Ours keep to what is set for them by themselves; for these it is so many that
    the limit of all is reached before.
    """


class PriceStep(msgspec.Struct, frozen=True):
    """From this price on, limit and stop prices are whole multiples of `step`."""

    from_price: Decimal
    step: Decimal


US_EQUITY_PRICE_STEPS = (
    PriceStep(Decimal(0), Decimal("0.0001")),
    PriceStep(Decimal(1), Decimal("0.01")),
)
"""A cent, and below a dollar a hundredth of one."""


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    """The market of the symbol, as far as it is known. `price` None: none was ever seen."""

    price: Decimal | None
    price_at: int
    session_open: bool
    window_open: bool
    """The bot's own trade window."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    """Of a contract, whose `price` is half way between them. None: nobody has told of them."""
    price_steps: tuple[PriceStep, ...] = ()
    """The venue's for this symbol, lowest first. None known: no limit or stop price passes."""


class BookView(msgspec.Struct, frozen=True, kw_only=True):
    """Positions and orders, with everything that is live, pending or unknown at its worst.

    `..._after` figures are worst cases if this proposal were approved. A proposal that replaces an
    order is counted with the larger of the two (I26). Reducing proposals add nothing to exposure.
    """

    bot_position: Decimal
    """Of this bot in the symbol: confirmed fills only, signed."""
    account_position: Decimal
    """Of all bots in the symbol, signed."""
    bot_reducing_live: Decimal
    """What this bot's other orders in the symbol, live or unknown, would take off its position."""
    account_reducing_live: Decimal
    """The same of all bots, on the account's position."""
    symbol_exposure_after: Decimal | None
    """Value at risk in the symbol, all bots; None if it cannot be valued."""
    bot_exposure_after: Decimal | None
    gross_exposure_after: Decimal | None
    buying_after: Decimal | None
    """What all working buys of all bots, and this one, may still cost."""
    heat_after: Decimal | None
    """Loss if all positions and working entries, and this one, are stopped out with the gap, and
    the fees of that.
    """
    loss_at_stop: Decimal | None
    """Of this proposal alone, with gap and fees; zero for what reduces, and never for an entry."""
    opposing: tuple[str, ...]
    """Working or unknown orders that it could trade against, or beside which the venue would
    refuse it as a wash trade; by name."""
    unknown: tuple[str, ...]
    """Orders in the symbol whose outcome is unknown; by name."""
    shorts_after: Decimal | None = Decimal(0)
    """What buying back all that the account is short of costs at its marks, beyond those buys: the
    cash has what it was sold for. None if it cannot be valued.
    """


class BudgetView(msgspec.Struct, frozen=True, kw_only=True):
    """What may still be lost: grants less what is reserved and what was lost already.

    None: nothing was granted, which means no trade.
    """

    bot_left: Decimal | None
    bucket_left: Decimal | None
    day_left: Decimal | None
    """Of the whole account: the daily loss limit, less today's loss, less everything open or
    working stopped out with the gap (K11), before this proposal."""


class RatesView(msgspec.Struct, frozen=True, kw_only=True):
    """What was attempted lately, this proposal not counted. Attempts count, not successes (I36)."""

    entries_last_minute: int
    entries_last_minute_symbol: int
    exits_last_minute: int
    notional_in_window: Decimal
    entries_today: int
    notional_today: Decimal
    last_entry_at: int | None
    """Of this bot."""
    last_similar_at: int | None
    """When an order alike was last attempted; see `Limits.similar_order_ns`."""
    rejections_in_a_row: int
    """By the venue, in this symbol, since one was last accepted."""
    round_trips_today: int
    """Of this bot."""
    bot_entries_today: int = 0


class EquityView(msgspec.Struct, frozen=True, kw_only=True):
    """The account's worth. `equity`: the worse of ours and the venue's; None: neither is known."""

    equity: Decimal | None
    day_start: Decimal | None
    peak: Decimal | None
    """The highest since the session began."""
    cash: Decimal | None
    """The account's, as it is on our record; working orders are not paid yet."""


class CoverageView(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what is held is protected, by the exit bot's word.

    `is_heard`: it has spoken; `silent`: so many loops ago. `is_known`: the account was seen.
    `uncovered` names every "bot symbol" that is not covered whole, the longest for `uncovered_ns`
    of machine time when it was told.
    """

    is_heard: bool
    is_known: bool
    pct: Decimal
    silent: int
    uncovered: tuple[str, ...]
    uncovered_ns: int


class LoopView(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's loop: the newest one that has its verdict (0: none), and how it was.

    `missed`: for so many loops since there was no verdict.
    """

    number: int
    passed: bool
    missed: int


class ActionsView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of corporate actions of the share, or of the share that the contract is on.

    `is_asked`: there is somebody who tells of them. `is_answered`: he has, lately, of this one.
    `near` is what keeps entries shut now, in words; "" if nothing does.
    """

    is_asked: bool
    is_answered: bool
    near: str


NOBODY_TELLS = ActionsView(is_asked=False, is_answered=False, near="")


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at once. `state` is what an order of this bot in this symbol finds."""

    at: int
    state: TradingState
    cause_codes: tuple[str, ...]
    proposal: Proposal
    limits: Limits
    market: MarketView
    book: BookView
    budget: BudgetView
    rates: RatesView
    equity: EquityView
    loop: LoopView
    coverage: CoverageView
    actions: ActionsView = NOBODY_TELLS
