"""What is lost if a position or an order is stopped out, with contract sizes and fees (SCOPE K11).

`exposure` counts prices times quantities, which is all for shares. Here each kind of instrument
gets what it needs besides: a contract stands for a hundred shares, and coins pay a fee on the way
in and out. Fees are counted at the most that `fees` knows of for one execution each way. A long
option can lose no more than its premium and the fees. None stands for what cannot be valued; it is
never taken for nothing.
"""

from decimal import Decimal

from hydra.trading.exact import add, multiply
from hydra.trading.exposure import Claim, Holding, is_price, outstanding
from hydra.trading.fees import USD, FeeSchedule, expected_fee, regulatory_most
from hydra.trading.instruments import Instrument, instrument
from hydra.trading.option_symbols import CONTRACT_SIZE
from hydra.trading.orders import Fill, Side

ZERO, ONE = Decimal(0), Decimal(1)


def units_of(symbol: str) -> Decimal | None:
    """How many times its price one of it is worth: 100 for a contract, else 1; None: no symbol."""
    match instrument(symbol):
        case Instrument.OPTION:
            return CONTRACT_SIZE
        case Instrument.SHARE | Instrument.COIN:
            return ONE
        case None:
            return None


def fees_most(
    symbol: str, side: Side, quantity: Decimal, price: Decimal, schedule: FeeSchedule, at: int
) -> Decimal:
    """The most in USD that one execution at `at` (UTC ns) can cost in fees."""
    execution = Fill(
        execution_id="",
        client_order_id="",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        at=at,
    )
    fee = expected_fee(execution, "", schedule)
    if fee is None:
        return regulatory_most([execution])
    return fee.most if fee.asset == USD else multiply(fee.most, price)


def order_loss_at_stop(
    symbol: str,
    claim: Claim,
    mark: Decimal | None,
    gap_factor: Decimal,
    schedule: FeeSchedule,
    at: int,
) -> Decimal | None:
    """Of an order that is filled and stopped out, its fees at the highest price that can be.

    Zero for one that only closes. None if it cannot be valued.
    """
    units, worst = units_of(symbol), outstanding([claim], mark, gap_factor)
    if units is None or worst.unvalued:
        return None
    if not claim.opens:
        return ZERO
    price = max(each for each in (claim.high, mark) if each is not None)
    entry = fees_most(symbol, claim.side, claim.quantity, price, schedule, at)
    closing = _closing_fees(symbol, claim.side, claim.quantity, price, schedule, at)
    return add(multiply(worst.loss, units), add(entry, closing))


def holding_loss_at_stop(
    symbol: str,
    holding: Holding,
    mark: Decimal | None,
    gap_factor: Decimal,
    schedule: FeeSchedule,
    at: int,
) -> Decimal | None:
    """Of what is held, with the fees of closing it; what opening it cost is booked already."""
    if not holding.position:
        return ZERO
    units = units_of(symbol)
    if units is None or mark is None or not is_price(mark):
        return None
    loss = multiply(holding.loss_at_stop(mark, gap_factor), units)
    price = max(mark, *(lot.price for lot in holding.inventory.lots))
    side = Side.BUY if holding.position > 0 else Side.SELL
    quantity = holding.position.copy_abs()
    return add(loss, _closing_fees(symbol, side, quantity, price, schedule, at))


def long_option_loss(
    premium: Decimal, contracts: Decimal, stop_loss: Decimal, gap_factor: Decimal
) -> Decimal:
    """Of so many long contracts at their stop, without fees: at most the whole premium.

    `premium` is for a share, `stop_loss` the fraction of it at which they are given up. Raises
    ValueError if one of them is no number above zero, or the gap factor is below 1.
    """
    if not (is_price(premium) and is_price(contracts) and is_price(stop_loss)):
        raise ValueError(
            f"found a premium of {premium}, {contracts} contracts, a stop at {stop_loss} of the"
            " premium; wanted decimals above 0"
        )
    if not (is_price(gap_factor) and gap_factor >= 1):
        raise ValueError(f"found a gap factor of {gap_factor}, wanted a decimal from 1")
    share = min(multiply(stop_loss, gap_factor), ONE)
    return multiply(multiply(multiply(premium, share), contracts), CONTRACT_SIZE)


def _closing_fees(
    symbol: str, opened: Side, quantity: Decimal, price: Decimal, schedule: FeeSchedule, at: int
) -> Decimal:
    """A short is taken to lose twice its worth at the most, so it is bought back at three times."""
    at_most = price if opened is Side.BUY else multiply(price, Decimal(3))
    return fees_most(symbol, opened.opposite, quantity, at_most, schedule, at)
