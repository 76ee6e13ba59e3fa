"""`hydra-trader data`: what files of bars are fit for, before anybody replays them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import Json, end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hydra.research.bar_quality import Limits, Quality
    from hydra.trading.bars import Bar
    from hydra.trading.findings import Finding
    from hydra.trading.sessions import SessionTable

app = typer.Typer(
    name="data",
    no_args_is_help=True,
    help="Look at files of bars: are they whole, and is what they say what a market did.",
)

NOT_FIT = 1
ENDINGS = (".csv", ".csv.gz", ".parquet", ".db", ".sqlite")


@app.callback()
def _data() -> None:
    """Keeps `check` a word of its own, for there will be more."""


@app.command()
def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Bars: .csv, .csv.gz, .parquet, a candle database (.db, .sqlite), or a folder"
            " of these.",
        ),
    ],
    interval: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH", help="Of a database that has several: 1m, 5m, 1h.", show_default=False
        ),
    ] = None,
    missing_max: Annotated[
        float,
        typer.Option(
            metavar="PERCENT",
            min=0,
            max=100,
            help="So many bars of a series may be missing: a share that trades seldom has no bar"
            " in some minutes.",
        ),
    ] = 0.0,
    age_max: Annotated[
        float | None,
        typer.Option(
            metavar="HOURS",
            min=0,
            help="The last bar must not be older, for files that something keeps up to date.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Check files of bars before anything is replayed on them.

    Each row is looked at as a replay would, and refused in the same words. Of
    each symbol: bars that are missing from the exchange's sessions (of coins,
    from every hour), with the longest gap; bars outside of them; closes far
    from both neighbours, which nobody may have paid; overnight jumps that look
    like a split in raw prices; bars without volume. Nothing is changed.

    Exit code 0: all is well; 1: something is not; 2: usage. With --json the
    answer is one line of JSON on the output, the summary goes to the errors.
    """
    from hydra.research.bar_quality import Limits
    from hydra.trading.durations import HOUR

    limits = Limits(missing_max, None if age_max is None else round(age_max * HOUR))
    checked = [each for file in _files(files) for each in _checked(file, interval, limits)]
    if json:
        from hydra.ops.debug.engine import write_json

        write_json([_as_json(each) for each in checked])
    (sys.stderr if json else sys.stdout).write("".join(map(_page, checked)))
    is_fit = all(finding.passed for each in checked for finding in each.findings)
    raise typer.Exit(int(ExitCode.CLEAN) if is_fit else NOT_FIT)


class _Checked(NamedTuple):
    """One series of a file. `quality` None: it cannot be read, and the one finding says why."""

    file: Path
    quality: Quality | None
    findings: tuple[Finding, ...]


def _files(named: list[Path]) -> Iterator[Path]:
    for path in named:
        if not path.is_dir():
            yield path
            continue
        inside = [each for each in sorted(path.iterdir()) if each.name.endswith(ENDINGS)]
        if not inside:
            end(f"{path}: found no file of bars in it; wanted {', '.join(ENDINGS)}", ExitCode.USAGE)
        yield from inside


def _checked(file: Path, interval: str | None, limits: Limits) -> Iterator[_Checked]:
    from hydra.research.bar_quality import findings_of, quality_of
    from hydra.research.replay_data import DATABASE_ENDINGS
    from hydra.trading.findings import Finding
    from hydra.venues.bar_files import read_bars, read_candles
    from hydra.venues.bar_rows import BadData

    try:
        if file.suffix in DATABASE_ENDINGS:
            series = list(read_candles(file, interval=interval).values())
        else:
            series = [read_bars(file)]
    except BadData as bad:
        yield _Checked(file, None, (Finding("read", False, str(bad)),))
        return
    for bars in series:
        quality = quality_of(bars, _sessions(bars))
        yield _Checked(file, quality, findings_of(quality, limits, time.time_ns()))


def _sessions(bars: Sequence[Bar]) -> SessionTable:
    from hydra.trading.instruments import is_crypto
    from hydra.trading.sessions import NO_SESSIONS, utc_date
    from hydra.venues.market_sessions import exchange_sessions

    if is_crypto(bars[0].symbol):
        return NO_SESSIONS
    return exchange_sessions(utc_date(bars[0].start_at), utc_date(bars[-1].start_at), None)


def _page(checked: _Checked) -> str:
    from hydra.ops.debug.render import clean
    from hydra.research.bar_quality import moment

    quality = checked.quality
    head = f"{checked.file}"
    if quality is not None:
        silent = f", {quality.without_volume} without volume" if quality.without_volume else ""
        head += (
            f": {quality.symbol}, {quality.bars} bars of {_length(quality.interval)}{silent},"
            f" {moment(quality.begins_at)} to {moment(quality.ends_at)} UTC"
        )
    found = [
        f"  {'pass' if each.passed else 'FAIL'}  {each.name}: {each.line}"
        for each in checked.findings
    ]
    return "".join(f"{clean(line)}\n" for line in (head, *found))


def _length(interval: int) -> str:
    from hydra.trading.durations import DAY, HOUR, MINUTE

    for unit, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if interval % unit == 0:
            return f"{interval // unit}{word}"
    return f"{interval} ns"


def _as_json(checked: _Checked) -> dict[str, Any]:
    import msgspec

    quality = checked.quality
    return {
        "file": str(checked.file),
        "fit": all(each.passed for each in checked.findings),
        "findings": [
            {"check": each.name, "passed": each.passed, "line": each.line}
            for each in checked.findings
        ],
        **({} if quality is None else {**msgspec.to_builtins(quality), "missing": quality.missing}),
    }
