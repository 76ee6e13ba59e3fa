"""How amounts are measured in steps, divided, and written in the broker's answers."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
NINE_DECIMALS = Decimal("0.000000001")


def plain(amount: Decimal) -> str:
    """Without exponent and without zeros at the end: 38000, 412700.5."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def is_multiple(amount: Decimal, step: Decimal) -> bool:
    """Whether `amount` is a whole number of steps; `step` is over 0."""
    return _LONG.remainder(amount, step) == 0


def is_whole(amount: Decimal) -> bool:
    """Whether nothing comes after the point."""
    return is_multiple(amount, Decimal(1))


def floored(amount: Decimal, step: Decimal) -> Decimal:
    """The next lower amount in steps (a power of ten)."""
    return amount.quantize(step, rounding=ROUND_FLOOR, context=_LONG)


def raised(amount: Decimal, step: Decimal) -> Decimal:
    """The next higher amount in steps (a power of ten)."""
    return amount.quantize(step, rounding=ROUND_CEILING, context=_LONG)


def rounded(amount: Decimal) -> Decimal:
    """To the nearest cent, as figures are shown."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP, context=_LONG)


def quantity_for(notional: Decimal, price: Decimal) -> Decimal:
    """How much `notional` USD buy at `price`, in billionths, rounded down."""
    return floored(_LONG.divide(notional, price), NINE_DECIMALS)


def raised_share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`part` of `whole` of an amount, rounded up to the cent."""
    return raised(_LONG.divide(_LONG.multiply(amount, part), whole), CENT)


# Enough digits for any sum of money with any price below it, whatever the calling thread's
# context is; not so many that a division takes long.
_LONG = Context(prec=400)
