"""The charts of a tear sheet as SVG to stand within a page, drawn by matplotlib.

Each is drawn twice, for a wide and for a narrow screen: the page shows the one that fits. Colours
are variables of the page's style, so that light and dark need no third drawing. Time runs by the
points of the market: nights and weekends without bars take no room. The same values give the same
bytes: names inside are hashed with a fixed salt, and no date is written.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from hydra.research.equity import Floats, Moments
from hydra.research.thinning import first_of_each_column, kept
from hydra.trading.durations import DAY, SECOND

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

LINES_MAX = 6
"""So many bots at most have a line, and a colour, of their own."""

_STYLE: dict[RcKeyType, object] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # it comes with matplotlib: the same sizes everywhere
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "path.simplify": False,
}
INK, FAINT, LINE, PRICE, FALL, GAIN, LOSS = (
    "#010101", "#020202", "#030303", "#040404", "#050505", "#060606", "#070707",
)  # fmt: skip
BOTS = tuple(f"#0800{number:02x}" for number in range(LINES_MAX))
_VARIABLES = {
    INK: "ink", FAINT: "faint", LINE: "line", PRICE: "price", FALL: "fall", GAIN: "gain",
    LOSS: "loss", **{colour: f"bot-{number}" for number, colour in enumerate(BOTS)},
}  # fmt: skip
"""What no colour of ours is, and which variable of the page's style takes its place."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Screen(msgspec.Struct, frozen=True):
    """What a chart is drawn for: inches, columns of a line's points and of marks, and times named
    below the axis.
    """

    name: str
    width: float
    columns: int
    mark_columns: int
    ticks: int


SCREENS = (Screen("wide", 11.0, 900, 180, 9), Screen("narrow", 4.8, 320, 70, 4))
CROWDED = 150
"""More marks than this are drawn small."""


class Marks(msgspec.Struct, frozen=True):
    """Where trades were opened or closed: a shape, a colour, moments and prices."""

    shape: str
    colour: str
    at: Moments
    prices: Floats


def equity_chart(at: Moments, equity: Floats, drawdown_pct: Floats, start: float) -> str:
    """Equity, with the drawdown below it."""

    def draw(figure: Figure, screen: Screen) -> None:
        above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1.2))
        above.axhline(start, color=FAINT, linewidth=1)
        _line(above, equity, screen, LINE)
        above.set_ylabel("equity, USD")
        falls = -drawdown_pct
        places = kept(falls, screen.columns)
        below.fill_between(places, falls[places], color=FALL, linewidth=0, alpha=0.55)
        below.set_ylabel("drawdown, %")
        below.set_ylim(top=0)
        for axes in (above, below):
            _quiet(axes)
        _times(below, at, screen)

    return _both("equity", 4.4, draw)


def bots_chart(at: Moments, results: Sequence[Floats]) -> str:
    """What bots had made by each moment, in the order of `BOTS`' colours."""

    def draw(figure: Figure, screen: Screen) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=FAINT, linewidth=1)
        for values, colour in zip(results, BOTS, strict=False):
            _line(axes, values, screen, colour)
        axes.set_ylabel("P&L, USD")
        _quiet(axes)
        _times(axes, at, screen)

    return _both("bots", 3.2, draw)


def price_chart(name: str, at: Moments, closes: Floats, marks: Sequence[Marks]) -> str:
    """The closes of one symbol, with marks; `name` is the chart's own in the page."""

    def draw(figure: Figure, screen: Screen) -> None:
        axes = figure.subplots()
        _line(axes, closes, screen, PRICE, width=1)
        crowd = sum(len(each.at) for each in marks)
        size = 6.0 if crowd <= CROWDED else 3.5
        for each in marks:
            places = np.minimum(np.searchsorted(at, each.at), len(at) - 1)
            drawn = first_of_each_column(places, len(at), screen.mark_columns)
            axes.plot(
                places[drawn],
                each.prices[drawn],
                each.shape,
                color=each.colour,
                markersize=size,
                markeredgewidth=size / 4.5 if each.shape == "x" else 0,
                linestyle="none",
            )
        axes.set_ylabel("price, USD")
        _quiet(axes)
        _times(axes, at, screen)

    return _both(name, 3.4, draw)


def _line(axes: Axes, values: Floats, screen: Screen, colour: str, width: float = 1.3) -> None:
    places = kept(values, screen.columns)
    axes.plot(places, values[places], color=colour, linewidth=width)


def _quiet(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    marks = MaxNLocator(nbins=6, steps=[1, 2, 4, 5, 10])  # none that needs one more decimal
    axes.yaxis.set_major_locator(marks)
    first, second, *_ = marks.tick_values(*axes.get_ylim())
    decimals = max(0, math.ceil(-math.log10(second - first) - 1e-9))
    axes.yaxis.set_major_formatter(StrMethodFormatter(f"{{x:,.{decimals}f}}"))
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(color=FAINT, labelcolor=INK)
    axes.yaxis.label.set_color(INK)
    for spine in axes.spines.values():
        spine.set_color(FAINT)


def _times(axes: Axes, at: Moments, screen: Screen) -> None:
    marks = list(time_marks(at, screen.ticks))
    axes.set_xticks([place for place, _ in marks], [text for _, text in marks])
    axes.set_xlim(-0.5, max(len(at) - 0.5, 0.5))


def time_marks(at: Moments, most: int) -> Iterator[tuple[int, str]]:
    """Where to name the time, at the starts of days if there are several (UTC), and how.

    A point at midnight ends the day before.
    """
    days = (at - 1) // DAY
    starts = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
    if len(starts) < 2:
        starts = np.unique(np.linspace(0, len(at) - 1, most).astype(np.intp))
        form: Callable[[datetime], str] = _clock
    else:
        form = _month if days[-1] - days[0] > 300 else _day
    step = -(-len(starts) // most)
    for place in starts[::step].tolist():
        moment = int(at[place]) if form is _clock else int(days[place]) * DAY
        yield place, form(datetime.fromtimestamp(moment // SECOND, UTC))


def _clock(moment: datetime) -> str:
    return f"{moment.hour:02d}:{moment.minute:02d}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]}"


def _month(moment: datetime) -> str:
    return f"{_MONTHS[moment.month - 1]} {moment.year}"


def _both(name: str, height: float, draw: Callable[[Figure, Screen], None]) -> str:
    """The chart for each screen."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    drawings = []
    for screen in SCREENS:
        own = f"{name}-{screen.name}"
        with rc_context(_STYLE), rc_context({"svg.hashsalt": own}):
            figure = Figure(figsize=(screen.width, height), layout="constrained")
            figure.patch.set_alpha(0)
            draw(figure, screen)
            for axes in figure.axes:
                axes.patch.set_alpha(0)
            content = io.StringIO()
            blank = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            figure.savefig(content, format="svg", metadata=blank)
        drawings.append(_for_page(content.getvalue(), own, screen.name))
    return "".join(drawings)


def _for_page(svg: str, name: str, screen: str) -> str:
    """The drawing as a part of a page: names of its own, colours and letters of the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg class="{screen}" viewBox="\1">', svg
    )
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font: ([0-9.]+px) [^;\"]*", r"font-size: \1", svg)
    svg = re.sub(r"<[^>]*>", _shorter, svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    return svg.replace("xlink:href", "href")


def _shorter(tag: re.Match[str]) -> str:
    """Less than a hundredth of a point is not to be seen. What people read is in no tag."""
    return re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0])
