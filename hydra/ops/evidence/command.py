"""`hydra-trader evidence`: every control between bots and market, and whether it is proven."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import CONFIG, ConfigDir, ForVenue, Json, end, one_line_for_faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from hydra.ops.config.cli import Venue
    from hydra.ops.evidence.assembling import Inputs
    from hydra.settings import Settings

NOT_PROVEN = 1
OUTPUT = Path("runs/evidence")
RESULTS = Path("runs/tests/results.json")
DRILLED = Path("runs/drill/report.json")
PROVED = Path("runs/prove/report.json")

T = TypeVar("T")

Results = Annotated[
    Path, typer.Option("--tests", metavar="FILE", help="What `make test` and `make slow` left.")
]
Drilled = Annotated[
    list[Path] | None,
    typer.Option(
        "--drill",
        metavar="FILE",
        help="A report of `drill`; may be repeated.",
        show_default=str(DRILLED),
    ),
]
Proved = Annotated[Path, typer.Option("--prove", metavar="FILE", help="The report of `prove`.")]
OutputDir = Annotated[
    Path, typer.Option("--output-dir", metavar="DIR", help="The folder of the pack.")
]
Verify = Annotated[
    bool,
    typer.Option("--verify", help="Make nothing: see whether the pack is as it was written."),
]


def evidence(
    config: ConfigDir = CONFIG,
    venue: ForVenue = None,
    tests: Results = RESULTS,
    drill: Drilled = None,
    prove: Proved = PROVED,
    output_dir: OutputDir = OUTPUT,
    verify: Verify = False,
    json: Json = False,
) -> None:
    """Write down each control between the bots and the market, and what proves it.

    Every check of an order, every kind of halt and every limit of your
    configuration belongs to a control, with its rule, its values, its tests
    and drills, and their last results. A result that is missing, red or of
    other code is said, and never shown as passed.

    It leaves a folder: evidence.md for people, evidence.json, the inputs, and
    a manifest with the hash of each file, which --verify checks.

    Exit code 0: every control is proven; 1: one is not, and a line says which
    (with --verify: a file is not as it was written).
    """
    if verify:
        _verify(output_dir)
        return
    with one_line_for_faults():
        complete, line = _made(
            config, venue, tests, drill or [DRILLED], prove, output_dir, as_json=json
        )
    if not complete:
        sys.stderr.write(f"NOT PROVEN: {line}\n")
        raise typer.Exit(NOT_PROVEN)


def _verify(folder: Path) -> None:
    from hydra.ops.evidence.folder import faults_in, hash_of_manifest

    with one_line_for_faults():
        faults = list(faults_in(folder))
        for fault in faults:
            sys.stderr.write(f"{fault}\n")
        if faults:
            raise typer.Exit(NOT_PROVEN)
        typer.echo(
            f"{folder}: every file is as it was written; manifest {hash_of_manifest(folder)}"
        )


def _made(
    config: Path,
    venue: Venue | None,
    tests: Path,
    drills: list[Path],
    prove: Path,
    output_dir: Path,
    *,
    as_json: bool,
) -> tuple[bool, str]:
    """Make the pack; whether it is complete, and the line about it."""
    from hydra.ops.code_version import code_version
    from hydra.ops.evidence.assembling import assembled
    from hydra.ops.evidence.controls import CONTROLS
    from hydra.ops.evidence.folder import write_pack
    from hydra.ops.evidence.telling import as_json as json_of
    from hydra.ops.evidence.telling import line_of, page_of
    from hydra.ops.stamp import stamp

    settings, digests = _settings(config, venue)
    files: dict[str, bytes] = {
        name: (config / name).read_bytes() for name in ("settings.yaml", "bots.yaml")
    }
    inputs = _inputs(tests, drills, prove, digests, files)
    at = stamp()
    version = code_version()
    found = assembled(CONTROLS, settings, version, inputs, at)
    files |= {"evidence.json": json_of(found), "evidence.md": page_of(found).encode()}
    manifest = write_pack(output_dir, files, at=at, code=version.code)
    line = line_of(found)
    if as_json:
        sys.stdout.write(files["evidence.json"].decode())
    else:
        for control in found.controls:
            typer.echo(f"{'proven' if control.is_proven else 'NOT PROVEN':10}  {control.name}")
        if found.is_complete:
            typer.echo(line)
        typer.echo(f"pack: {output_dir}, manifest {manifest}")
    return found.is_complete, line


def _settings(config: Path, venue: Venue | None) -> tuple[Settings, frozenset[str]]:
    """Those that are meant, and the digests of the same for each venue that can be drilled on."""
    from hydra.ops.drill.running import loaded
    from hydra.settings import SettingsRefused, VenueName

    try:
        meant = loaded(config, None if venue is None else VenueName(venue.value))
        others = {VenueName.EMBEDDED, VenueName.PAPER} - {meant.broker.venue}
        digests = {loaded(config, other).digest for other in others}
        return meant, frozenset({meant.digest, *digests})
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)


def _inputs(
    tests: Path,
    drills: list[Path],
    prove: Path,
    configurations: frozenset[str],
    files: dict[str, bytes],
) -> Inputs:
    """What there is of results; it is added to the files of the pack, as it was read."""
    import msgspec

    from hydra.ops.drill.report import report_from
    from hydra.ops.evidence.assembling import Inputs, ProofReport
    from hydra.ops.evidence.results import SuiteResults, known_tests, results_from

    def proof_from(content: bytes) -> ProofReport:
        return msgspec.json.decode(content, type=ProofReport)

    results = _read(tests, "tests.json", results_from, files)
    reports = [
        _read(path, f"drill-{number}.json", report_from, files)
        for number, path in enumerate(drills, 1)
    ]
    return Inputs(
        tests=known_tests(),
        results=results or SuiteResults(),
        drills=tuple(report for report in reports if report is not None),
        proof=_read(prove, "prove.json", proof_from, files),
        configurations=configurations,
    )


def _read(path: Path, name: str, read: Callable[[bytes], T], files: dict[str, bytes]) -> T | None:
    """None: there is none, or it cannot be read, which is said; neither is ever a pass."""
    import msgspec

    try:
        content = path.read_bytes()
        found = read(content)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{path}: cannot be read, and counts as missing: {error}\n")
        return None
    files[name] = content
    return found
