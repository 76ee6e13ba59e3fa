"""Draws what a bundle's tables say, as SVG: `python -m hydra.ops.artefacts.plots FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from hydra.ops.artefacts.folder import PLOTS, STATE
from hydra.ops.artefacts.rows import ACCOUNT, rows_in
from hydra.store.private_files import FILE_RIGHTS
from hydra.trading.durations import SECOND

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, GAIN, LOSS = "#1f2933", "#cbd2d9", "#1b7f5c", "#b23b3b"


def draw(folder: Path) -> None:
    """Both plots, of what the bundle in `folder` has; a plot with nothing in it is not drawn."""
    state = orjson.loads((folder / STATE).read_bytes())
    worth = [
        (int(row["at_ns"]), float(row["equity"]))
        for row in rows_in(folder / ACCOUNT)
        if row["equity"]
    ]
    results = [(bot["bot"], float(bot["result"])) for bot in state["bots"] if bot["trades"]]
    equity, by_bot = PLOTS
    _set_style()
    if len(worth) > 1 and results:
        _save(_equity(worth, f"Equity, session {state['session']}"), folder / equity)
    if results:
        _save(_by_bot(results, f"P&L by bot, session {state['session']}"), folder / by_bot)


def _set_style() -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update(
        {
            "svg.hashsalt": "hydra",  # else each drawing of the same has other names inside
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": 10,
            "axes.edgecolor": FAINT,
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


def _equity(worth: Sequence[tuple[int, float]], title: str) -> Figure:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.add_subplot()
    times = [datetime.fromtimestamp(at / SECOND, UTC) for at, _ in worth]
    values = [value for _, value in worth]
    axes.axhline(values[0], color=FAINT, linewidth=1)
    # Times are welcome to matplotlib, but its annotations know only numbers; those of its dates are
    # missing altogether.
    # The worth is known at moments only; between them it is not a straight line.
    axes.step(times, values, where="post", color=INK, linewidth=1.4)  # type: ignore[arg-type]
    axes.plot(times[-1:], values[-1:], "o", color=INK, markersize=4)  # type: ignore[arg-type]
    change = values[-1] - values[0]
    axes.set_title(f"{title}: {values[-1]:,.2f} USD ({change:+,.2f})")
    axes.set_ylabel("USD")
    axes.set_xlabel("UTC")
    locator = AutoDateLocator(tz=UTC, minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    _plain_numbers(axes)
    return figure


def _by_bot(results: Sequence[tuple[str, float]], title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.2 + 0.38 * len(results)), layout="constrained")
    axes = figure.add_subplot()
    names, values = [bot for bot, _ in results], [value for _, value in results]
    colours = [GAIN if value >= 0 else LOSS for value in values]
    bars = axes.barh(names, values, color=colours, height=0.6)
    axes.bar_label(bars, labels=[f"{value:+,.2f}" for value in values], padding=4)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.tick_params(axis="y", length=0)
    axes.set_title(title)
    axes.set_xlabel("USD, fees taken off")
    return figure


def _plain_numbers(axes: Axes) -> None:
    from matplotlib.ticker import StrMethodFormatter

    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.2f}"))
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _save(figure: Figure, path: Path) -> None:
    """Whole or not at all. Without a date, so that the same tables give the same bytes."""
    partial = path.with_name(f".{path.name}.partial")
    partial.touch(mode=FILE_RIGHTS)
    figure.savefig(partial, format="svg", metadata={"Date": None, "Creator": None})
    partial.replace(path)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
