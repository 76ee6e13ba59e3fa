"""Which contract of an option chain may be bought, and which of those is (SCOPE B2).

Every contract is asked every rule in turn, and the first that it does not meet is the reason why it
is not taken: what is missing, zero, crossed or stale is no reason to guess. Of those that are left
one is chosen, always the same for the same chain. No clock, no I/O.

On a free feed quotes are altered and trades late, so besides all that a quote must be possible: an
option that can be exercised now is worth at least what that gives, and never more than the share
(a call) or the strike (a put).
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Context, Decimal

import msgspec

from hydra.trading.amounts import is_amount
from hydra.trading.durations import in_seconds
from hydra.trading.exact import add, multiply, percent_of, subtract
from hydra.trading.exposure import is_price
from hydra.trading.option_expiry import days_to_expiry, expiry_allows_entry
from hydra.trading.option_symbols import CONTRACT_SIZE, OptionSymbol, Right, parsed, root_of
from hydra.trading.quote_checks import nonsense_in
from hydra.trading.quotes import Quote
from hydra.trading.sessions import SessionTable

ZERO = Decimal(0)


class ChainContract(msgspec.Struct, frozen=True, kw_only=True):
    """One contract as it is listed, and as the feed shows it now. None: the feed does not say.

    `delta` is signed, below zero for a put. `in_penny_program`: it is priced in finer steps.
    """

    symbol: str
    underlying: str
    expiration: date
    right: Right
    strike: Decimal
    multiplier: Decimal
    tradable: bool
    open_interest: Decimal | None
    quote: Quote | None
    delta: float | None
    implied_volatility: float | None
    in_penny_program: bool = False


class ChainRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract must be. Raises ValueError where a limit limits nothing (I40)."""

    dte_min: int
    dte_max: int
    """Days of the calendar to the expiration."""
    delta_min: Decimal
    delta_max: Decimal
    """Without its sign."""
    spread_pct_max: Decimal
    """From bid to ask, in percent of the ask."""
    open_interest_min: Decimal
    """In contracts."""
    quote_age_ns_max: int

    def __post_init__(self) -> None:
        wholes = (self.dte_min, self.dte_max, self.quote_age_ns_max)
        if not (all(type(each) is int for each in wholes) and 0 < self.dte_min <= self.dte_max):
            raise ValueError(
                f"found {self.dte_min} to {self.dte_max} days to expiry, wanted whole numbers"
                " above 0, the lower one first"
            )
        if not self.quote_age_ns_max > 0:
            raise ValueError(f"quote_age_ns_max: found {self.quote_age_ns_max}, wanted above 0")
        if not (is_price(self.delta_min) and is_price(self.delta_max)) or not (
            self.delta_min <= self.delta_max <= 1
        ):
            raise ValueError(
                f"found a delta from {self.delta_min} to {self.delta_max}, wanted decimals above 0"
                " and up to 1, the lower one first"
            )
        if not (is_price(self.spread_pct_max) and self.spread_pct_max < 100):
            raise ValueError(
                f"spread_pct_max: found {self.spread_pct_max}, wanted a decimal above 0, below 100"
            )
        if not is_price(self.open_interest_min):
            raise ValueError(
                f"open_interest_min: found {self.open_interest_min}, wanted a decimal above 0"
            )


class ChainQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted at market time `at`: a call or put on this underlying, for so much at most.

    `premium_usd_max` is for one contract, at the ask.
    """

    underlying: str
    underlying_price: Decimal | None
    right: Right
    rules: ChainRules
    sessions: SessionTable
    premium_usd_max: Decimal
    at: int


class NotEligible(msgspec.Struct, frozen=True, kw_only=True):
    """A contract that is not taken, by which rule, and why."""

    symbol: str
    rule: str
    reason: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a chain: the contract, or None if none fits; and all that were not eligible."""

    chosen: ChainContract | None
    eligible: tuple[str, ...]
    """The symbols of all that would do, the best first."""
    rejected: tuple[NotEligible, ...]


def choose_contract(chain: Sequence[ChainContract], query: ChainQuery) -> Choice:
    """The contract that fits best: the delta nearest to the middle of its range, then the narrowest
    spread, then the most open interest, then the earliest expiration, then the first symbol.

    A symbol that is listed twice is not eligible: nobody knows which of the two is true.
    """
    listed = [contract.symbol for contract in chain]
    eligible: list[ChainContract] = []
    rejected: list[NotEligible] = []
    for contract in sorted(chain, key=_symbol_of):
        found = _against(contract, query)
        if found is None and listed.count(contract.symbol) > 1:
            found = NotEligible(
                symbol=contract.symbol, rule="is_listed_once", reason="it is listed twice"
            )
        if found is None:
            eligible.append(contract)
        else:
            rejected.append(found)
    eligible.sort(key=lambda contract: _rank(contract, query.rules))
    return Choice(
        chosen=eligible[0] if eligible else None,
        eligible=tuple(map(_symbol_of, eligible)),
        rejected=tuple(rejected),
    )


# Each rule gives None, or what was found and what is wanted.


def is_what_it_is_called(c: ChainContract, q: ChainQuery) -> str | None:
    """Its symbol says the same as its particulars. A root that was adjusted has a digit more."""
    says = parsed(c.symbol)
    if says == OptionSymbol(root_of(c.underlying), c.expiration, c.right, c.strike):
        return None
    return f"its symbol is not that of {c.underlying} {c.expiration} {c.right.value} {c.strike}"


def is_wanted(c: ChainContract, q: ChainQuery) -> str | None:
    """The underlying, and call or put."""
    if (c.underlying, c.right) == (q.underlying, q.right):
        return None
    return f"it is a {c.right.value} on {c.underlying}, wanted a {q.right.value} on {q.underlying}"


def is_standard_and_trades(c: ChainContract, q: ChainQuery) -> str | None:
    """Not adjusted by a split or a merger: then it is for other things than a hundred shares."""
    if not c.tradable:
        return "it is not tradable"
    if c.multiplier == CONTRACT_SIZE:
        return None
    return f"it is for {c.multiplier:f} shares, wanted {CONTRACT_SIZE}"


def expires_in_time(c: ChainContract, q: ChainQuery) -> str | None:
    """The days to expiry are in their range, and it does not expire today."""
    days, rules = days_to_expiry(c.expiration, q.at), q.rules
    if rules.dte_min <= days <= rules.dte_max:
        return expiry_allows_entry(c.expiration, q.sessions, q.at)
    return f"it expires in {days} days, wanted {rules.dte_min} to {rules.dte_max}"


def delta_is_in_range(c: ChainContract, q: ChainQuery) -> str | None:
    """Known, of the right sign, and in its range without it."""
    if c.delta is None:
        return "its delta is unknown"
    low, high = q.rules.delta_min, q.rules.delta_max
    signed = c.delta if c.right is Right.CALL else -c.delta
    # Said positively, so that NaN, for which no comparison is true, is refused too.
    if float(low) <= signed <= float(high):
        return None
    sign = "" if c.right is Right.CALL else "-"
    return f"its delta is {c.delta:.4g}, wanted {sign}{low:f} to {sign}{high:f}"


def volatility_is_known(c: ChainContract, q: ChainQuery) -> str | None:
    """A feed that cannot explain its own price is not to be believed."""
    if c.implied_volatility is not None and 0 < c.implied_volatility < _VOLATILITY_MAX:
        return None
    return f"its implied volatility is {c.implied_volatility}, wanted a number above 0"


def open_interest_is_enough(c: ChainContract, q: ChainQuery) -> str | None:
    """Others hold it, so that somebody is there when it is to be sold."""
    if c.open_interest is None:
        return "its open interest is unknown"
    if c.open_interest.is_finite() and c.open_interest >= q.rules.open_interest_min:
        return None
    return f"its open interest is {c.open_interest}, wanted {q.rules.open_interest_min} or more"


def quote_is_fresh(c: ChainContract, q: ChainQuery) -> str | None:
    """There is one, of this symbol, and it is not old; nor of the future."""
    if c.quote is None or c.quote.symbol != c.symbol:
        return "it has no quote"
    age = q.at - c.quote.at
    if 0 <= age <= q.rules.quote_age_ns_max:
        return None
    most = in_seconds(q.rules.quote_age_ns_max)
    return f"its quote is {in_seconds(age):f} s old, at most {most:f} allowed"


def quote_has_two_sides(c: ChainContract, q: ChainQuery) -> str | None:
    """Prices, both above zero and none absurdly fine, and the bid below the ask."""
    assert c.quote is not None, "the rule before asks for that"
    nonsense = nonsense_in(c.quote)
    if nonsense is not None:
        return nonsense
    are_prices = is_price(printed(c.quote.bid)) and is_price(printed(c.quote.ask))
    is_offered = c.quote.bid_size > 0 and c.quote.ask_size > 0
    if are_prices and is_offered and c.quote.bid < c.quote.ask:
        return None
    return (
        f"its bid is {c.quote.bid:g} for {c.quote.bid_size:g}, its ask {c.quote.ask:g} for"
        f" {c.quote.ask_size:g}; wanted all above 0, and the bid below the ask"
    )


def spread_is_narrow(c: ChainContract, q: ChainQuery) -> str | None:
    """Bought at the ask and sold at the bid at once, no more than this is lost."""
    bid, ask = _bid(c), _ask(c)
    spread, most = subtract(ask, bid), percent_of(ask, q.rules.spread_pct_max)
    if spread <= most:
        return None
    return f"its spread is {spread:f}, at most {most:f} allowed ({q.rules.spread_pct_max:f} %)"


def quote_is_possible(c: ChainContract, q: ChainQuery) -> str | None:
    """The ask is not below what exercising gives, the bid not above what it can ever give."""
    price = q.underlying_price
    if price is None or not is_price(price):
        return f"the price of {q.underlying} is unknown"
    gives = subtract(price, c.strike) if c.right is Right.CALL else subtract(c.strike, price)
    most = price if c.right is Right.CALL else c.strike
    if _ask(c) >= gives and _bid(c) <= most:
        return None
    return (
        f"its quote is {_bid(c):f} to {_ask(c):f}; with {q.underlying} at {price:f} it is worth"
        f" {max(gives, ZERO):f} to {most:f}"
    )


def premium_is_affordable(c: ChainContract, q: ChainQuery) -> str | None:
    """One contract at least can be paid."""
    premium = multiply(_ask(c), CONTRACT_SIZE)
    if not is_amount(q.premium_usd_max):
        return f"one costs {premium:f} USD, and what it may cost is not known"
    if premium <= q.premium_usd_max:
        return None
    return f"one costs {premium:f} USD, at most {q.premium_usd_max:f} allowed"


Rule = Callable[[ChainContract, ChainQuery], str | None]
RULES: tuple[Rule, ...] = (
    is_what_it_is_called,
    is_wanted,
    is_standard_and_trades,
    expires_in_time,
    delta_is_in_range,
    volatility_is_known,
    open_interest_is_enough,
    quote_is_fresh,
    quote_has_two_sides,
    spread_is_narrow,
    quote_is_possible,
    premium_is_affordable,
)
"""In the order of asking; the later ones rely on the earlier."""


def printed(price: float) -> Decimal:
    """A price as it was printed: the shortest decimal of its float."""
    return Decimal(repr(price))


_VOLATILITY_MAX = 100.0
"""Ten thousand percent a year: what is above is no number of a market."""
_SHARES = Context(prec=28)
"""For what is only compared."""


def _against(contract: ChainContract, query: ChainQuery) -> NotEligible | None:
    for rule in RULES:
        reason = rule(contract, query)
        if reason is not None:
            return NotEligible(symbol=contract.symbol, rule=rule.__name__, reason=reason)
    return None


def _rank(
    contract: ChainContract, rules: ChainRules
) -> tuple[Decimal, Decimal, Decimal, date, str]:
    """Of an eligible contract; the lowest is the best."""
    assert contract.delta is not None and contract.open_interest is not None, "it is eligible"
    # Twice the distance from the middle: nothing has to be divided.
    delta = printed(abs(contract.delta))
    off = subtract(add(delta, delta), add(rules.delta_min, rules.delta_max)).copy_abs()
    return (
        off,
        _SHARES.divide(subtract(_ask(contract), _bid(contract)), _ask(contract)),
        contract.open_interest.copy_negate(),
        contract.expiration,
        contract.symbol,
    )


def _symbol_of(contract: ChainContract) -> str:
    return contract.symbol


def _bid(contract: ChainContract) -> Decimal:
    assert contract.quote is not None, "a rule asks for that"
    return printed(contract.quote.bid)


def _ask(contract: ChainContract) -> Decimal:
    assert contract.quote is not None, "a rule asks for that"
    return printed(contract.quote.ask)
