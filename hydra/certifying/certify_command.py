"""`hydra-trader certify`: a bot of another distribution in scenarios, before it may trade."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydra.ops.config.cli import CONFIG, ConfigDir
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import end, one_line_for_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hydra.certifying.certificate import Certificate, Subject
    from hydra.certifying.playing import Candidate, Trial
    from hydra.settings import Settings

BROKEN = 1
SCENARIOS = 200
OUTPUT = Path("runs/certify")

Kind = Annotated[
    str, typer.Argument(metavar="KIND", help="The bot's entry point: `kind` in plugin_bots.")
]
Scenarios = Annotated[int, typer.Option("--scenarios", min=1, max=100_000, help="How many.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=10**12, help="Another one, other scenarios.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", min=1, max=1_024, help="So many at once. Else one a core.", show_default=False
    ),
]
Number = Annotated[
    int | None,
    typer.Option(
        "--scenario",
        min=0,
        max=100_000,
        help="Play this one alone, and show what happened in it.",
        show_default=False,
    ),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="KEY=VALUE",
        help="A parameter; may be repeated. Else as in bots.yaml, for each bot of this kind.",
        show_default=False,
    ),
]
StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="Where `certificates` is. Else beside the ledger, as the settings say.",
        show_default=False,
    ),
]
OutputDir = Annotated[
    Path, typer.Option("--output-dir", metavar="DIR", help="Where the report is left.")
]
Json = Annotated[bool, typer.Option("--json", help="For programs: a list of reports as JSON.")]


def certify(
    kind: Kind,
    scenarios: Scenarios = SCENARIOS,
    seed: Seed = 0,
    jobs: Jobs = None,
    scenario: Number = None,
    param: Parameters = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    output_dir: OutputDir = OUTPUT,
    json: Json = False,
) -> None:
    """Play a plug-in bot in generated scenarios, and certify it if it keeps all rules.

    The whole engine with this bot alone, in virtual time: prices that rise,
    fall, gap and stand still, bars that are missing or wrong, orders that are
    rejected, filled in parts or never answered, denials, halts, crashes of the
    bot and of the engine. What is judged is the bot.

    Each set of parameters that bots.yaml has for this kind is played for itself,
    and has its own certificate. On paper and live a bot without one enters
    nothing. Exit code 0: every rule was kept; 1: one was not, or not all was
    played.
    """
    from hydra.certifying.certificate import PASSED
    from hydra.ops.places import files_of_venue
    from hydra.plugins import PluginBroken
    from hydra.trading.strategies.strategy import BadParameters

    with one_line_for_faults():
        settings = _settings(config)
        given = None if param is None else dict(_read(text) for text in param)
        try:
            candidates = _candidates(kind, settings, given)
        except (BadParameters, PluginBroken) as error:
            end(f"{kind}: {error}", ExitCode.CONFIGURATION_REFUSED)
        again = _again(kind, seed, config, param)
        if scenario is not None:
            is_kept = [_show_one(each, about, scenario, seed) for each, about in candidates]
        else:
            _try_to_write_in(output_dir)
            folder = files_of_venue(settings, state_dir, None).certificates
            asked = (scenarios, seed, jobs or os.cpu_count() or 1)
            reports = [
                _certify(each, about, asked, folder, output_dir, again, as_json=json)
                for each, about in candidates
            ]
            if json:
                sys.stdout.write(_encoded(reports).decode())
            is_kept = [report["verdict"] == PASSED for report in reports]
    if not all(is_kept):
        raise typer.Exit(BROKEN)


def _settings(config: Path) -> Settings:
    from hydra.plugins import fault_in_plugin, fault_in_signal
    from hydra.settings import SettingsRefused, load_settings

    try:
        return load_settings(config, signal_check=fault_in_signal, plugin_check=fault_in_plugin)
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)


def _read(text: str) -> tuple[str, object]:
    name, is_there, value = text.partition("=")
    if not is_there or not name:
        end(f"--param {text}: found no KEY=VALUE; wanted one, dip_pct=0.3 say", ExitCode.USAGE)
    words: dict[str, object] = {"true": True, "false": False}
    for make in (int, float):
        try:
            return name, words[value] if value in words else make(value)
        except ValueError:
            continue
    return name, value


def _candidates(
    kind: str, settings: Settings, given: Mapping[str, object] | None
) -> list[tuple[Candidate, Subject]]:
    """One for each set of parameters. Raises `BadParameters` and `PluginBroken`."""
    from hydra.certifying.certificate import subject_of
    from hydra.certifying.playing import SYMBOLS, SYMBOLS_MAX, Candidate

    named = [bot for bot in settings.plugin_bots if bot.kind == kind]
    symbols = named[0].symbols[:SYMBOLS_MAX] if named else SYMBOLS
    wanted: list[tuple[Mapping[str, object], tuple[str, ...]]] = (
        [(given, symbols)]
        if given is not None
        else [(bot.params, bot.symbols[:SYMBOLS_MAX]) for bot in named] or [({}, symbols)]
    )
    found: list[tuple[Candidate, Subject]] = []
    for parameters, traded in wanted:
        about = subject_of(kind, parameters)
        if all(other != about for _, other in found):
            candidate = Candidate(kind=kind, parameters=dict(parameters), symbols=traded)
            found.append((candidate, about))
    return found


def _again(kind: str, seed: int, config: Path, param: list[str] | None) -> str:
    """What shows a scenario again, but for its number."""
    words = ["hydra-trader", "certify", kind, "--seed", str(seed)]
    if config != CONFIG:
        words += ["--config", str(config)]
    for each in param or ():
        words += ["--param", each]
    return shlex.join(words)


def _try_to_write_in(folder: Path) -> None:
    """Before anything is played. Raises OSError."""
    from tempfile import TemporaryFile

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        pass


def _certify(
    candidate: Candidate,
    subject: Subject,
    asked: tuple[int, int, int],
    folder: Path,
    output_dir: Path,
    again: str,
    *,
    as_json: bool,
) -> dict[str, Any]:
    """The report; it is shown here, but as JSON."""
    from datetime import UTC, datetime

    from hydra.certifying.certificate import Certificate, keep, path_in, signed
    from hydra.certifying.telling import as_json as json_of
    from hydra.certifying.telling import lines_of, results_of, verdict_on

    scenarios, seed, jobs = asked
    trial = _tried(candidate, scenarios, seed, jobs)
    now = datetime.now(UTC).replace(microsecond=0)
    certificate = signed(
        Certificate(
            subject=subject,
            seed=seed,
            scenarios=len(trial.scenarios),
            rules=results_of(trial.found),
            verdict=verdict_on(trial),
            at=now,
        )
    )
    lines = list(lines_of(trial, subject, again))
    if trial.is_whole:  # what was stopped says nothing, not even that it has failed
        is_kept = keep(folder, certificate, now)
        path = path_in(folder, subject)
        lines += _last_words(certificate, path, is_kept=is_kept)
    report = json_of(trial, certificate)
    left = output_dir / path_in(output_dir, subject).name
    left.write_bytes(_encoded(report))
    left.with_suffix(".txt").write_text("".join(f"{line}\n" for line in lines))
    if not as_json:
        for line in lines:
            typer.echo(line)
    return report


def _tried(candidate: Candidate, scenarios: int, seed: int, jobs: int) -> Trial:
    from threading import Event

    from hydra.certifying.playing import repeats, tried
    from hydra.ops.ending import StopSignals
    from hydra.research.run_table import shown_progress

    stopping = Event()
    total = scenarios + repeats(scenarios)
    with StopSignals(stopping.set), shown_progress("scenarios") as seen:
        return tried(
            candidate,
            scenarios,
            seed,
            jobs=jobs,
            seen=lambda over: seen(over, total),
            is_stopping=stopping.is_set,
        )


def _last_words(certificate: Certificate, path: Path, *, is_kept: bool) -> list[str]:
    """What the certificate is good for."""
    from hydra.certifying.certificate import GOOD_FOR, PASSED, SCENARIOS_NEEDED

    if certificate.verdict != PASSED:
        return [f"NOT CERTIFIED: {path} says so; on paper and live the bot enters nothing"]
    count = certificate.scenarios
    venues = [venue.value for venue, needed in SCENARIOS_NEEDED.items() if count >= needed]
    until = (certificate.at + GOOD_FOR).date().isoformat()
    if not is_kept:
        return [f"certified before, with more scenarios: {path} is left as it is"]
    if not venues:
        least = min(SCENARIOS_NEEDED.values())
        return [f"kept all rules, in too few scenarios: {least} are needed for paper ({path})"]
    return [f"certified: {path}, good for {' and '.join(venues)} until {until}, with this code"]


def _show_one(candidate: Candidate, subject: Subject, number: int, seed: int) -> bool:
    from hydra.certifying.playing import played
    from hydra.certifying.rules import TRADES, broken
    from hydra.certifying.scenarios import scenario_of
    from hydra.certifying.telling import trace_of

    scenario = scenario_of(number, seed)
    what = played(candidate, scenario)
    found = [each for each in broken([what.seen], {}) if each.rule != TRADES]
    for line in trace_of(scenario, what, found, subject):
        typer.echo(line)
    return not found


def _encoded(content: object) -> bytes:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
