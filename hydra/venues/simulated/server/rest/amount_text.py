"""Amounts as the broker writes them: plain decimals in strings, bare numbers in market data."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

_PRECISE = Context(prec=100)
_RATIO_PLACES = Decimal("1E-16")


def amount_text(value: Decimal) -> str:
    """The value to its last digit, without an exponent and without zeros at its end."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def amount_text_or_none(value: Decimal | None) -> str | None:
    """The same of what may not be known."""
    return None if value is None else amount_text(value)


def rounded_text(value: Decimal, places: int) -> str:
    """The value rounded to so many decimals."""
    return amount_text(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN, _PRECISE))


def ratio_text(part: Decimal | None, whole: Decimal | None) -> str | None:
    """One amount as a share of another, to sixteen decimals; None if one of them is not known.

    Of nothing everything is zero: the broker has no word for infinity.
    """
    if part is None or whole is None:
        return None
    if not whole:
        return "0"
    ratio = _PRECISE.divide(part, whole)
    return amount_text(ratio.quantize(_RATIO_PLACES, ROUND_HALF_EVEN, _PRECISE))


def number(value: float | Decimal) -> int | float:
    """The value as a JSON number: 61260 rather than 61260.0, as the broker's servers write it."""
    shown = float(value)
    return int(shown) if shown.is_integer() else shown
