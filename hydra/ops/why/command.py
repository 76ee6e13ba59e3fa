"""The command `why`: which question is asked, and of which files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.as_said import AsSaid
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import (
    CONFIG,
    ConfigDir,
    ForVenue,
    Json,
    LogDir,
    StateDir,
    end,
    files_to_read,
    one_line_for_faults,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hydra.ops.why.asking import Answer

Question = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ORDER | BOT SYMBOL TIME",
        help="An order's name, or the venue's for it, or the beginning of one; or a bot, a symbol"
        " and a time: 2016-04-15T14:32 or 14:32 (UTC; of the newest day), or last.",
        show_default=False,
    ),
]
LastDenial = Annotated[
    bool,
    typer.Option("--last-denial", help="The newest denial instead; with BOT, of that one."),
]


def why(
    question: Question = None,
    last_denial: LastDenial = False,
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Explain an order, a denial, or why nothing happened, from the record alone.
    Changes nothing; the engine may run meanwhile, or not at all.

    Of an order: who wanted it and why, each check with the numbers that it
    looked at, the budgets, when it was sent, all that the venue said, and what
    it did to the bot's position and money. Of a moment: what the bot wanted at
    that time or up to a minute before it; if it wanted nothing, why. Always:
    whether trading was open, and what stood against it.

    For instance: why hy1-20160415-ac01; why mom_AAPL AAPL 14:32;
    why mom_AAPL AAPL last; why --last-denial.

    Exit code 0: it is explained; 2: nothing, or more than one thing, is found;
    13: a part of the record cannot be read (what the rest says is told); 12: a
    later Hydra wrote it; 10: the settings are not fit, and
    nothing else says where the record is.
    """
    words = question or []
    counts = (0, 1) if last_denial else (1, 3)
    if len(words) not in counts or not all(words):
        end(
            f"found {' '.join(words) or 'no question'}; wanted ORDER, or BOT SYMBOL TIME, or"
            " --last-denial [BOT]; see `hydra-trader why --help`",
            ExitCode.USAGE,
        )
    from hydra.ops.debug.render import clean
    from hydra.ops.why.asking import answer  # here and below: `--help` needs none of it
    from hydra.ops.why.journal import JournalMissing
    from hydra.ops.why.story import NothingFound
    from hydra.ops.why.times import BadMoment

    files, name, said = files_to_read(config, venue, state_dir, log_dir)
    zone = _zone(config)
    with one_line_for_faults(said):
        try:
            found = answer(files, zone, words, newest_denial=last_denial)
        except (BadMoment, NothingFound) as nothing:
            text = said.in_words(str(nothing))
            end("\n".join(map(clean, text.splitlines())), ExitCode.USAGE)
        except JournalMissing as missing:
            text = said.in_words(f"{missing}; `hydra-trader verify` says more")
            end(text, ExitCode.DURABILITY_REFUSED)
    _show(found, name, said, json=json)
    if found.faults:
        raise typer.Exit(int(ExitCode.DURABILITY_REFUSED))


def _zone(config: Path) -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    from hydra.settings.loading import documents_in, timezone_in

    name = timezone_in(documents_in(config))
    if name is None:
        sys.stderr.write("the timezone is not known: times are in UTC\n")
    return ZoneInfo(name or "UTC")


def _show(found: "Answer", venue: str, said: AsSaid, *, json: bool) -> None:
    if json:
        import msgspec

        from hydra.ops.debug.engine import write_json

        write_json({"venue": venue, **msgspec.to_builtins(found.told), "faults": found.faults})
        return
    from hydra.ops.debug import render
    from hydra.ops.why.page import show

    show(found.told, venue, said)
    for fault in found.faults:
        text = f"NOT ALL CAN BE READ: {fault}; `hydra-trader verify` says more"
        render.write(render.clean(said.in_words(text)))
