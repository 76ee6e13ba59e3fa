"""Checks of the order itself: may it be sent at all, now, beside what is held and what works?

What leaves a position is held to less than what enters one: limits on money, old decisions and a
symbol that was taken off the list must never lock a position in.
"""

from decimal import Context, Decimal, InvalidOperation

import msgspec

from hydra.trading.causes import FLATTEN
from hydra.trading.durations import in_seconds
from hydra.trading.exact import add, percent_of, subtract
from hydra.trading.option_prices import COARSE_STEPS
from hydra.trading.option_symbols import parsed
from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.situation import PriceStep, Situation
from hydra.trading.trading_state import TradingState

# As `hydra.trading.exact`: independent of the thread's context, and an error rather than a guess.
_REMAINDER = Context(prec=100, traps=[InvalidOperation]).remainder
_NAMES_SHOWN_MAX = 3


def trading_is_open(s: Situation) -> str | None:
    """ACTIVE passes everything, CLOSE_ONLY what is to reduce, HALTED an operator's flatten alone.

    That it does reduce is the business of `exit_reduces_position`, which nothing else passes. A
    flatten takes out all that rests, so that nothing is to rest beside it.
    """
    if s.state is TradingState.ACTIVE or s.proposal.role is Role.FLATTEN:
        return None
    if s.state is TradingState.CLOSE_ONLY and s.proposal.reduces:
        is_flattened = FLATTEN.code in s.cause_codes
        if not (is_flattened and s.proposal.role is Role.PROTECT):
            return None
        return f"a flatten takes out what rests ({FLATTEN.code})"
    causes = ", ".join(s.cause_codes) or "no cause given"
    if s.state is TradingState.CLOSE_ONLY:
        return f"only orders that reduce a position may pass ({causes})"
    return f"trading is halted ({causes})"


def symbol_is_allowed(s: Situation) -> str | None:
    """A bot enters only symbols that the configuration names for it, and contracts on the shares
    that it names for it.
    """
    if s.proposal.reduces or (s.proposal.bot, s.proposal.symbol) in s.limits.symbols:
        return None
    # What is no text is no contract either: whoever asks here may have been told anything (I34).
    option = parsed(str(s.proposal.symbol))
    if option is not None:
        if (s.proposal.bot, option.root) in s.limits.option_roots:
            return None
        return f"options on {option.root} are not among what {s.proposal.bot} may trade"
    allowed = len(symbols_of(s))
    return f"{s.proposal.symbol} is not among the {allowed} symbols that {s.proposal.bot} may enter"


def symbols_of(s: Situation) -> tuple[str, ...]:
    """What the bot that asks may enter, in order."""
    return tuple(sorted(symbol for bot, symbol in s.limits.symbols if bot == s.proposal.bot))


def decision_is_fresh(s: Situation) -> str | None:
    """An old decision to enter is about another market; one from the future is a clock's fault."""
    if s.proposal.reduces:
        return None
    age_ns = s.at - s.proposal.decided_at
    if 0 <= age_ns <= s.limits.decision_age_ns_max:
        return None
    allowed = in_seconds(s.limits.decision_age_ns_max)
    return f"decision is {_age(age_ns)}, at most {allowed:f} s allowed"


def session_is_open(s: Situation) -> str | None:
    """The exchange trades this symbol now. An order sent outside waits for an unknown price."""
    if s.market.session_open is True:
        return None
    return f"no exchange session for {s.proposal.symbol} at this time"


def window_is_open(s: Situation) -> str | None:
    """A bot enters only in its own trade window; leaving is not bound to it."""
    if s.proposal.reduces or s.market.window_open is True:
        return None
    return "an entry outside the bot's trade window"


def prices_fit_order_type(s: Situation) -> str | None:
    """A limit order has a limit price, a stop order a stop price, and none has any other."""
    order = s.proposal
    has_limit, has_stop = order.limit_price is not None, order.stop_price is not None
    match order.order_type:
        case OrderType.MARKET if not has_limit and not has_stop:
            return None
        case OrderType.LIMIT if has_limit and not has_stop:
            return None
        case OrderType.STOP if has_stop and not has_limit:
            return None
        case _:
            return (
                f"order type {_word(order.order_type)} with limit price {order.limit_price} "
                f"and stop price {order.stop_price}"
            )


def exit_reduces_position(s: Situation) -> str | None:
    """Only an entry may create or enlarge exposure, and nothing passes through zero.

    The venue knows only the account's position, so that, too, has to be large enough.
    """
    order, book = s.proposal, s.book
    if order.role is Role.ENTRY:
        return None
    for whose, position, live in (
        ("bot's", book.bot_position, book.bot_reducing_live),
        ("account's", book.account_position, book.account_reducing_live),
    ):
        if not _reduces(order.side, add(order.quantity, live), position):
            return (
                f"does not reduce the position: {_word(order.side)} {order.quantity:f} "
                f"{order.symbol} on the {whose} {position:f} with {live:f} more being closed"
            )
    return None


def entry_does_not_oppose_position(s: Situation) -> str | None:
    """An entry opens or enlarges; one against a position could go through zero, so it is no entry.

    The other way round is two orders: the exit, and when it is done the entry.
    """
    order, book = s.proposal, s.book
    if order.reduces:
        return None
    for whose, position in (("bot's", book.bot_position), ("account's", book.account_position)):
        if order.side is Side.BUY and position >= 0:
            continue
        if order.side is Side.SELL and position <= 0:
            continue
        return f"an entry to {_word(order.side)} against the {whose} position of {position:f}"
    return None


def no_order_opposes(s: Situation) -> str | None:
    """It could trade with none of our own; the venue refuses such an order as a wash trade."""
    if not s.book.opposing:
        return None
    return f"could trade against our own {_names(s.book.opposing)}: cancel, wait, then send"


def no_outcome_is_unknown(s: Situation) -> str | None:
    """Nothing adds risk in a symbol while an order in it may or may not be live (I19)."""
    if s.proposal.reduces or not s.book.unknown:
        return None
    return f"outcome unknown of {_names(s.book.unknown)} in {s.proposal.symbol}"


def price_is_known(s: Situation) -> str | None:
    """An entry, or an order with a price, is judged by the market; an entry is decided on one."""
    if not _needs_price(s):
        return None
    if s.market.price is None:
        return f"no price for {s.proposal.symbol}"
    if s.proposal.reference_price is None and not s.proposal.reduces:
        return "an entry that was decided on no price"
    return None


def price_is_fresh(s: Situation) -> str | None:
    """The market's price is of now, by market time; one from the future is as good as none."""
    if not _needs_price(s):
        return None
    age_ns = s.at - s.market.price_at
    if 0 <= age_ns <= s.limits.price_age_ns_max:
        return None
    return (
        f"price of {s.proposal.symbol} is {_age(age_ns)}, "
        f"at most {in_seconds(s.limits.price_age_ns_max):f} s allowed"
    )


def prices_are_on_step(s: Situation) -> str | None:
    """The venue takes the price as it is: whoever made it has rounded it, toward less risk (I35).

    Rounding here, after the checks, would send what nobody checked.
    """
    order = s.proposal
    for name, price in (("limit", order.limit_price), ("stop", order.stop_price)):
        if price is None:
            continue
        step = _step_at(price, s.market.price_steps)
        if step is None:
            return f"{name} price {price:f}, but the price steps of {order.symbol} are not known"
        if _REMAINDER(price, step) != 0:
            return f"{name} price {price:f} is not a multiple of {step:f}"
    return None


def prices_are_within_collar(s: Situation) -> str | None:
    """A price far from the market is a slip: of the order, or of what an entry was decided on.

    What leaves a contract is held against the side that it would meet: in a wide market that lies
    far from the middle, and its limit there is what keeps the order from giving more away. It may
    be off by a step, since not every contract can be priced at what is bid or asked for it.
    """
    order = s.proposal
    seen = None if order.reduces else order.reference_price
    for name, price, met in (
        ("limit price", order.limit_price, met_by_limit(s)),
        ("stop price", order.stop_price, Met("market", s.market.price)),
        ("price decided on", seen, Met("market", s.market.price)),
    ):
        market = met.price
        if price is None:
            continue
        if market is None:
            return f"no price for {order.symbol}"
        distance = subtract(price, market).copy_abs()
        if not distance <= max(percent_of(market, s.limits.price_collar_pct), met.step):
            or_a_step = f" or {met.step:f}" if met.step else ""
            return (
                f"{name} {price:f} is {distance:f} from the {met.name} at {market:f}, "
                f"at most {s.limits.price_collar_pct:f} %{or_a_step} allowed"
            )
    return None


class Met(msgspec.Struct, frozen=True):
    """What a price is held against; it may be off by `step`, however much that is of it."""

    name: str
    price: Decimal | None
    step: Decimal = Decimal(0)


def met_by_limit(s: Situation) -> Met:
    """What the limit price of the order is held against."""
    name, price = ("bid", s.market.bid) if s.proposal.side is Side.SELL else ("ask", s.market.ask)
    if not s.proposal.reduces or price is None:
        return Met("market", s.market.price)
    return Met(name, price, _step_at(price, COARSE_STEPS) or Decimal(0))


def protective_stop_is_behind_price(s: Situation) -> str | None:
    """A buy is given up below where it enters, a sell above: else its risk was counted wrongly."""
    order = s.proposal
    stop = order.protective_stop
    if order.reduces or stop is None:
        return None
    price = order.limit_price or order.stop_price or s.market.price
    if price is None:
        return f"no price for {order.symbol}"
    if (order.side is Side.BUY and stop < price) or (order.side is Side.SELL and stop > price):
        return None
    return f"{_word(order.side)} at {price:f} would be given up at {stop:f}, which is no loss"


def _reduces(side: Side, quantity: Decimal, position: Decimal) -> bool:
    if position > 0:
        return side is Side.SELL and quantity <= position
    return side is Side.BUY and quantity <= position.copy_abs()


def _needs_price(s: Situation) -> bool:
    """Leaving at the market does not: without a price one may at least get out."""
    order = s.proposal
    return not order.reduces or order.limit_price is not None or order.stop_price is not None


def _step_at(price: Decimal, steps: tuple[PriceStep, ...]) -> Decimal | None:
    found = None
    for each in steps:
        if each.from_price <= price:
            found = each.step
    return found


def _word(value: object) -> str:
    return value.value if isinstance(value, Side | OrderType) else repr(value)


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN_MAX])
    more = len(names) - _NAMES_SHOWN_MAX
    return f"{shown} and {more} more" if more > 0 else shown


def _age(age_ns: int) -> str:
    return (
        f"{in_seconds(age_ns):f} s old"
        if age_ns >= 0
        else f"{in_seconds(-age_ns):f} s from the future"
    )
