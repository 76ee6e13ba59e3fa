"""`hydra-trader reconcile`: what differs from the broker's account, and an operator's decisions."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from hydra.ops.at_rest.taking_up import taken_up
from hydra.ops.config.cli import Venue
from hydra.ops.control.place import (
    Place,
    end_refused,
    place_meant,
)
from hydra.ops.debug.client import CommandFailed, EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, Bars, ForVenue, Json, LogDir, StateDir, end
from hydra.ops.reason import Reason

ANSWER_WITHIN_S = 10.0
DIFFERENT = 1
"""The exit code where something differs, or nothing could be compared."""

ConfigDir = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="DIR",
        help="The folder of settings.yaml and bots.yaml. Default: config.",
        show_default=False,
    ),
]

app = typer.Typer()


def _number(text: str | Decimal) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise typer.BadParameter(f"found {text}, wanted a number such as 187.30")
    return number


Subject = Annotated[
    str, typer.Argument(metavar="SUBJECT", help="As `reconcile` names it: a symbol, an order.")
]
Order = Annotated[str, typer.Argument(metavar="ORDER", help="The order, as `reconcile` names it.")]
Amount = Annotated[
    Decimal,
    typer.Argument(
        metavar="AMOUNT",
        parser=_number,
        help="By how much the cash on record changes (USD).",
    ),
]
ForBot = Annotated[str, typer.Option("--bot", metavar="BOT", help="The bot whose it is to be.")]
MaybeForBot = Annotated[
    str | None,
    typer.Option(
        "--bot",
        metavar="BOT",
        help="The bot whose it is to be; not needed for an order that is on record.",
        show_default=False,
    ),
]
Gone = Annotated[
    bool,
    typer.Option(
        "--gone",
        help="The bot is in the settings no more. What it holds is closed as soon as trading is"
        " open.",
    ),
]
Price = Annotated[
    Decimal,
    typer.Option(
        "--price",
        metavar="USD",
        parser=_number,
        help="What one unit is taken to have cost.",
        show_default=False,
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="Which difference, if the subject has more than one.",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
def reconcile(
    context: typer.Context,
    data: Bars = None,
    venue: ForVenue = None,
    config: ConfigDir = None,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Compare the record with the broker's account, and settle what differs.

    Without a verb: compares now, and shows each difference with its ways out.
    A difference halts trading; it ends with it, or with your decision about
    it, and with `resume`.

    Where no engine runs, its record is taken up and compared from here, and
    what it had not heard of (a fill, an order that expired) is booked, as when
    it starts. Run with --data, it needs --data here too.

    Exit code 0: nothing differs, or it is settled; 1: something differs,
    nothing could be compared, or the engine refused; 11: an engine has the
    record and does not answer (what to do is said); 13: the record cannot be
    used; 20: it failed closed; 10: the settings are not fit; 2: usage, or
    nothing was ever traded here.
    """
    where = {"venue": venue, "config": config, "state_dir": state_dir, "log_dir": log_dir}
    context.obj = {**where, "data": data, "json": json}
    if context.invoked_subcommand is None:
        meant = _meant(context)
        _show(meant[0], _asked(meant, "differences"), json=json)


@app.command()
def assign(
    context: typer.Context,
    subject: Subject,
    bot: ForBot,
    price: Price,
    reason: Reason,
    gone: Gone = False,
    kind: Kind = None,
    data: Bars = None,
    venue: ForVenue = None,
    config: ConfigDir = None,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Give a bot what the account holds more, or less, of a symbol than the record."""
    where = {"venue": venue, "config": config, "state_dir": state_dir, "log_dir": log_dir}
    meant = _meant(context, **where, data=data)
    _require_configured(bot, meant[0], gone=gone)
    decision = {"decision": "assign", "bot": bot, "price": str(price), "kind": kind}
    _settle(context, meant, subject, reason, decision, json=json)


@app.command()
def exclude(
    context: typer.Context,
    subject: Subject,
    reason: Reason,
    kind: Kind = None,
    data: Bars = None,
    venue: ForVenue = None,
    config: ConfigDir = None,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Leave a difference alone from now on: somebody else looks after it."""
    where = {"venue": venue, "config": config, "state_dir": state_dir, "log_dir": log_dir}
    meant = _meant(context, **where, data=data)
    _settle(context, meant, subject, reason, {"decision": "exclude", "kind": kind}, json=json)


@app.command()
def adopt(
    context: typer.Context,
    order: Order,
    reason: Reason,
    bot: MaybeForBot = None,
    gone: Gone = False,
    kind: Kind = None,
    data: Bars = None,
    venue: ForVenue = None,
    config: ConfigDir = None,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Take what the broker says of an order over into the record, for a bot."""
    where = {"venue": venue, "config": config, "state_dir": state_dir, "log_dir": log_dir}
    meant = _meant(context, **where, data=data)
    _require_configured(bot, meant[0], gone=gone)
    decision = {"decision": "adopt", "bot": bot, "kind": kind}
    _settle(context, meant, order, reason, decision, json=json)


@app.command("adjust-cash", context_settings={"ignore_unknown_options": True})  # as -5.00 is one
def adjust_cash(
    context: typer.Context,
    amount: Amount,
    reason: Reason,
    data: Bars = None,
    venue: ForVenue = None,
    config: ConfigDir = None,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    json: Json = False,
) -> None:
    """Accept cash that came or went otherwise than by trading: a deposit, a fee."""
    where = {"venue": venue, "config": config, "state_dir": state_dir, "log_dir": log_dir}
    meant = _meant(context, **where, data=data)
    decision = {"decision": "adjust", "amount": str(amount)}
    _settle(context, meant, "cash", reason, decision, json=json)


def _meant(context: typer.Context, **said: Any) -> tuple[Place, Path | None]:
    """The engine that is meant, and the bars that its run was given: what is not said after the
    verb may be said before it.
    """
    meant = {name: said.get(name) or before for name, before in context.obj.items()}
    venue: Venue | None = meant["venue"]
    config, bars = meant["config"] or CONFIG, meant["data"]
    return place_meant(config, venue, meant["state_dir"], meant["log_dir"]), bars


def _require_configured(bot: str | None, place: Place, *, gone: bool) -> None:
    """A bot that nobody knows looks after nothing: a slip in its name would have the position sold.
    Of settings that are not fit nothing can be told.
    """
    if bot is None or gone or place.settings is None:
        return
    known = place.settings.bot_ids
    if bot not in known:
        end(
            f"found --bot {bot}, wanted one of {', '.join(sorted(known))}: what a bot holds that is"
            " not in the settings is closed at once (with --gone it is put on record all the same)",
            ExitCode.USAGE,
        )


def _asked(meant: tuple[Place, Path | None], command: str, **arguments: Any) -> dict[str, Any]:
    """The answer of the engine: of one that runs, or else of one that is taken up for it."""
    place, bars = meant
    try:
        try:
            with EngineClient(place.files.control_socket, ANSWER_WITHIN_S) as client:
                return client.call(command, **arguments)
        except NoEngine as silent:
            with taken_up(place, silent, bars, "reconcile") as engine:
                return {**engine.call(command, **arguments), "engine": "stopped"}
    except CommandFailed as refused:
        end_refused(str(refused))


def _settle(
    context: typer.Context,
    meant: tuple[Place, Path | None],
    subject: str,
    reason: str,
    decision: Mapping[str, str | None],
    *,
    json: bool,
) -> None:
    told = _asked(meant, "settle", subject=subject, reason=reason, **decision)
    if json or context.obj["json"]:
        from hydra.ops.debug.engine import write_json

        write_json(told)
        return
    from hydra.ops.debug import render

    render.write(render.clean(f"on record: {told['decision']} {told['line']}"))
    if told["note"]:
        render.write(render.clean(told["note"]))
    what_next = (
        "`hydra-trader reconcile` shows what still differs; when nothing does, `hydra-trader resume"
        " --reason …` lets it trade"
    )
    render.write(render.clean(meant[0].said.in_words(what_next)))


def _show(place: Place, told: dict[str, Any], *, json: bool) -> None:
    from hydra.ops.debug import render
    from hydra.ops.debug.engine import write_json

    if json:
        write_json(told)
    else:
        for line in _lines(told):
            render.write(render.clean(place.said.in_words(line)))
    if told["rows"] or not told["checked"]:
        raise typer.Exit(DIFFERENT)


def _lines(told: dict[str, Any]) -> list[str]:
    if not told["checked"]:
        why = told["failure"] or "the engine has made no comparison yet"
        return [f"NOT COMPARED, so whether something differs is not known: {why}"]
    age = "" if told["is_new"] else "; no newer comparison came in time"
    rows = told["rows"]
    if not rows:
        return [f"nothing differs, as of {told['at']} (market time){age}"]
    lines = [f"{len(rows)} differences, as of {told['at']} (market time){age}"]
    for row in rows:
        lines += ["", row["line"], f"  {row['advice']}"]
        lines += [f"  {_command(row, remedy)}" for remedy in row["remedies"]]
    return lines


def _command(row: dict[str, Any], remedy: str) -> str:
    """What an operator types to decide so."""
    said = {
        "adopt": f"adopt {row['subject']} --bot BOT",
        "assign": f"assign {row['subject']} --bot BOT --price USD",
        "exclude": f"exclude {row['subject']}",
        "adjust": f"adjust-cash {row['amount']}",
    }[remedy]
    return f"hydra-trader reconcile {said} --reason …"
