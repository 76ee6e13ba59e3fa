"""The words of `hydra-trader replay`, each with what it means."""

from pathlib import Path
from typing import Annotated

import typer

PANEL_DATA, PANEL_TERMS, PANEL_BOTS = "What is played", "On which terms", "By whom"

Recorded = Annotated[
    Path | None,
    typer.Option(
        "--session",
        metavar="FOLDER",
        help="Instead of bars: the bundle of a recorded session, run again message by message.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Bars: .csv, .csv.gz, .parquet, a manifest (.yaml) or a candle database (.db)."
        " Several are one market.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
BarsOf = Annotated[
    Path | None,
    typer.Option(
        "--bars-of",
        metavar="FOLDER",
        help="Instead of --data and a window: the day of a recorded session, with its cash. What"
        " if? Say --set.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="The first moment: a date, or an ISO time.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="TIME",
        help="The first moment after it: of a day, the day after.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Window = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="In place of the two: so long back from the end of the data, as P45D or PT12H.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Zone = Annotated[
    str,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="The time zone of dates and times without an offset.",
        rich_help_panel=PANEL_DATA,
    ),
]
EnvDates = Annotated[
    bool,
    typer.Option(
        "--allow-env-dates",
        help="Without a window: take HYDRA_REPLAY_START and HYDRA_REPLAY_END, and say so.",
        rich_help_panel=PANEL_DATA,
    ),
]
Symbols = Annotated[
    list[str] | None,
    typer.Option(
        "--symbol",
        metavar="SYMBOL",
        help="Only this one of the data; may be given again.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Interval = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        help="Of the bars, where a database has several: 1m, 5m, 1h, 1d.",
        rich_help_panel=PANEL_DATA,
        show_default=False,
    ),
]
Bots = Annotated[
    list[str] | None,
    typer.Option(
        "--bot",
        metavar="ID",
        help="Only this bot of bots.yaml; may be given again.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="One momentum bot a share that follows this strategy, in place of the configured"
        " bots; in all else as the first of them.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="Of --strategy; may be given again.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="In place of what the configuration has, by the keys of `config show`; may be given"
        " again. Several values (KEY=1,2,5) are as many runs, over all cores.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        metavar="FIGURE",
        help="Of several runs: trades, realised, final_equity, max_drawdown_pct …; -FIGURE for the"
        " greatest first.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Of several runs: so many at once. Else one for each core.",
        rich_help_panel=PANEL_BOTS,
        show_default=False,
    ),
]
Slippage = Annotated[
    str,
    typer.Option(
        metavar="BPS",
        help="By how many basis points market and stop orders do worse than the bar's price. A list"
        " (0,2,5,10) plays each, and shows what is left.",
        rich_help_panel=PANEL_TERMS,
    ),
]
Fees = Annotated[
    str,
    typer.Option(
        metavar="BPS",
        help="What the venue keeps of an execution of coins, in basis points; of shares nothing.",
        rich_help_panel=PANEL_TERMS,
    ),
]
Cash = Annotated[
    str,
    typer.Option(metavar="USD", help="What the account begins with.", rich_help_panel=PANEL_TERMS),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        envvar="HYDRA_SEED",
        help="Of everything that is drawn; names the folder too.",
        rich_help_panel=PANEL_TERMS,
    ),
]
Label = Annotated[str, typer.Option(metavar="WORD", help="Names the folder: 0007-WORD.")]
OutputDir = Annotated[
    Path, typer.Option("--output-dir", metavar="DIR", help="In which the folder is made.")
]
NoSheet = Annotated[
    bool, typer.Option("--no-tear-sheet", help="Spare the seconds that drawing takes.")
]
