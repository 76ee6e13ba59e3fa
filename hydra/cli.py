"""`hydra-trader`: what an operator can do, one verb each. Run without a verb to see them."""

import os
import sys
from typing import Annotated

import typer

from hydra.certifying.certify_command import certify
from hydra.ops.backup import backup
from hydra.ops.bridge import bridge
from hydra.ops.canary.command import canary
from hydra.ops.config.cli import app as config
from hydra.ops.dashboard.command import dashboard
from hydra.ops.debug.cli import app as debug
from hydra.ops.drill.command import drill
from hydra.ops.evidence.command import evidence
from hydra.ops.exit_codes import ExitCode
from hydra.ops.export import export
from hydra.ops.flatten import flatten
from hydra.ops.halt import halt
from hydra.ops.health import health
from hydra.ops.mode import mode
from hydra.ops.no_core import write_no_core
from hydra.ops.preflight import preflight
from hydra.ops.reconcile import app as reconcile
from hydra.ops.report import report
from hydra.ops.restore import restore
from hydra.ops.resume import resume
from hydra.ops.snapshot import snapshot, track_record
from hydra.ops.spoken import speak_in_any_letters, unusable_name
from hydra.ops.status import status
from hydra.ops.venue.cli import app as venue
from hydra.ops.verify import verify
from hydra.ops.watch import watch
from hydra.ops.why.command import why
from hydra.proving.prove_command import prove
from hydra.research.data_command import app as data
from hydra.research.gate_command import app as gate
from hydra.research.regress_command import regress
from hydra.research.regret_command import regret
from hydra.research.replay_command import replay

app = typer.Typer(
    name="hydra-trader",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # which joins the lines of a paragraph
    help="Hydra: a fail-closed trading engine. Run it, look into it, measure this machine.",
)
app.add_typer(config, name="config")
app.add_typer(data, name="data")
app.add_typer(debug, name="debug")
app.add_typer(gate, name="gate")
app.add_typer(reconcile, name="reconcile")
app.add_typer(venue, name="venue")

PASSES_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

Arguments = Annotated[list[str] | None, typer.Argument(metavar="[OPTIONS]")]


@app.command(context_settings=PASSES_ON, add_help_option=False)
def run(context: typer.Context) -> None:
    """Run the engine, as `python -m hydra.main` does: `run --help` says how."""
    from hydra.main import main as engine  # here and below: only what the verb needs is loaded

    raise typer.Exit(engine(context.args))


@app.command(context_settings=PASSES_ON, add_help_option=False)
def bench(context: typer.Context) -> None:
    """Measure whether this machine is fit for the job: `bench --help` says how."""
    from hydra.ops.bench import main as measure

    raise typer.Exit(measure(context.args))


app.command()(preflight)
app.command()(status)
app.command()(health)
app.command()(watch)
app.command()(dashboard)
app.command()(halt)
app.command()(resume)
app.command()(flatten)
app.command()(mode)
app.command()(why)
app.command()(verify)
app.command()(backup)
app.command()(restore)
app.command()(export)
app.command()(report)
app.command()(canary)
app.command()(bridge)
app.command()(snapshot)
app.command()(track_record)
app.command()(replay)
app.command()(regress)
app.command()(regret)
app.command()(prove)
app.command()(certify)
app.command()(drill)
app.command()(evidence)


def main() -> None:
    """The `hydra-trader` command: ends the process with its exit code.

    What nobody foresaw becomes one line; HYDRA_TRACEBACK=1 shows where it came from.
    """
    write_no_core()
    speak_in_any_letters(sys.stdout, sys.stderr)
    try:
        app()
    except BrokenPipeError:  # whoever read our output has had enough, as in `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # the edge of the process: one line for people, as promised above
        if os.environ.get("HYDRA_TRACEBACK"):
            raise
        unusable = unusable_name(error) if isinstance(error, UnicodeEncodeError) else None
        if unusable is not None:
            sys.stderr.write(f"{unusable}\n")
            sys.exit(int(ExitCode.USAGE))
        sys.stderr.write(f"hydra-trader: {type(error).__name__}: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
