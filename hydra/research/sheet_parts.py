"""The small parts of a tear sheet: tables, lists and numbers as people read them.

Words from elsewhere become text of the page here, never a part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from html import escape

NOTHING = "n/a"
"""What cannot be told."""
_LONG = 24
"""Words longer than this may be broken."""


def pairs_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Names, each with what is to be said of it."""
    return "".join(
        f"<div><span>{escape(name)}</span><b>{escape(value)}</b></div>" for name, value in pairs
    )


def figure(drawing: str, about: str, label: str) -> str:
    """A drawing, what is to be known of it, and what it is for who cannot see it."""
    caption = f"<figcaption>{escape(about)}</figcaption>" if about else ""
    return f'<figure role="img" aria-label="{escape(label)}">{drawing}{caption}</figure>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, text: Collection[int]) -> str:
    """The columns `text` are words, the others numbers; a row of one cell is a gap."""
    head = "".join(_cell("th", name, number in text) for number, name in enumerate(heads))
    lines = []
    for row in rows:
        if len(row) == 1:
            lines.append(f'<tr class="gap"><td colspan="{len(heads)}">{escape(row[0])}</td></tr>')
        else:
            cells = (_cell("td", cell, number in text) for number, cell in enumerate(row))
            lines.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(tag: str, content: str, is_text: bool) -> str:
    if is_text:
        words = escape(content)
        if len(content) <= _LONG:
            return f'<{tag} class="text">{words}</{tag}>'
        # Names of strategies have no blanks to break a line at.
        return f'<{tag} class="text long">{words.replace("_", "_<wbr>")}</{tag}>'
    return f"<{tag}>{coloured(content)}</{tag}>"


def coloured(value: str) -> str:
    """A number with a sign says what it is by its colour too."""
    kind = {"+": "gain", "−": "loss"}.get(value[:1])
    return f'<span class="{kind}">{escape(value)}</span>' if kind else escape(value)


def signed(amount: Decimal) -> str:
    """Money of which it matters whether it was made or lost."""
    return _with_minus(f"{amount:+,.2f}")


def usd(amount: Decimal | None) -> str:
    """Money."""
    return NOTHING if amount is None else _with_minus(f"{amount:,.2f}")


def ratio(value: float | None) -> str:
    """A number without a unit."""
    return NOTHING if value is None else _with_minus(f"{value:,.2f}")


def pct(value: float | None, decimals: int = 2) -> str:
    """Percent."""
    return NOTHING if value is None else _with_minus(f"{value:,.{decimals}f} %")


def price_of(price: Decimal) -> str:
    """With two decimals or all that there are."""
    return f"{price:,.2f}" if round(price, 2) == price else f"{price:,f}"


def _with_minus(text: str) -> str:
    """What is zero as it is shown has no sign."""
    is_zero = not any(digit in text for digit in "123456789")
    return text.lstrip("+-") if is_zero else text.replace("-", "−")


def minute(iso: str | None) -> str:
    """Of a time in ISO 8601, the date and the minute."""
    return NOTHING if iso is None else f"{iso[:10]} {iso[11:16]}"


def some_of(symbols: Sequence[str]) -> str:
    """The first six, and how many more there are."""
    few = ", ".join(symbols[:6]) or "no bars"
    return few if len(symbols) <= 6 else f"{few} and {len(symbols) - 6} more"


def count_of(count: int, what: str) -> str:
    """So many of what is counted."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
