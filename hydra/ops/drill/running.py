"""The drills of one run, one after the other, and what becomes of what they leave."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from msgspec import structs

from hydra.ops.drill.drills import Drill
from hydra.ops.drill.interrupting import Interruptions
from hydra.ops.drill.own_bot import notional_of, section_of, ticker_of, with_own_bot
from hydra.ops.drill.report import DrillResult, Verdict
from hydra.ops.drill.stage import ENGINE, FAST, Ground, NotDone, Scene, Stage
from hydra.ops.drill.venue_admin import VenueSilent
from hydra.ops.generated_market import generated_market
from hydra.ops.places import files_of_venue
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.settings import Settings, VenueName, load_settings
from hydra.store.engine_lock import HeldByAnother, living_holder
from hydra.store.private_files import make_private_folder

_SCRATCH = re.compile(r"scratch-(?P<pid>[0-9]{1,10})", re.ASCII)


def drilled(
    drills: Sequence[Drill],
    scene: Scene,
    scratch: Path,
    keep: Callable[[str, Path], Path],
    interruptions: Interruptions | None = None,
) -> Iterator[DrillResult]:
    """Do them. What a drill that did not pass has left is handed to `keep`, which says where.

    `interruptions` are those that may end it; None: there are none.
    """
    interruptions = interruptions or Interruptions()
    for drill in drills:
        folder = scratch / drill.name
        make_private_folder(folder)
        result = _drilled(drill, scene, folder, interruptions)
        if result.verdict is not Verdict.PASSED:
            result = structs.replace(result, kept=str(keep(drill.name, folder)))
        shutil.rmtree(folder, ignore_errors=True)
        yield result


def loaded(config: Path, venue: VenueName | None) -> Settings:
    """The settings in `config`, as an engine reads them for this venue; None: the one that they
    name. Raises `SettingsRefused`.
    """
    return load_settings(
        config, venue=venue, signal_check=fault_in_signal, plugin_check=fault_in_plugin
    )


def embedded_scene(config: Path, seed: int, scratch: Path) -> Scene:
    """The configuration with the drills' own bot beside it, on the embedded venue.

    Raises `SettingsRefused`, `NotDone`.
    """
    settings = loaded(config, VenueName.EMBEDDED)
    try:
        ticker = ticker_of(settings)
    except LookupError as none:
        raise NotDone(str(none)) from none
    ours = scratch / "config"
    signals = scratch / "signals.jsonl"
    shutil.copytree(config, ours)
    cache = scratch / "cache"
    bots = ours / "bots.yaml"
    without = bots.read_text(encoding="utf-8")
    # The exchange's hours of that market, which is the same day whatever is traded.
    session = generated_market(settings, seed, cache, is_virtual=False).sessions.sessions[-1]
    section = section_of(
        ticker, settings.system.timezone, signals, session.open_at, session.close_at
    )
    bots.write_text(with_own_bot(without, section), encoding="utf-8")
    drilled_with = loaded(ours, VenueName.EMBEDDED)
    data = generated_market(drilled_with, seed, cache, is_virtual=False)
    signals.touch(mode=0o600)
    return Scene(
        ground=Ground.EMBEDDED,
        engine=(*ENGINE, "--venue", "embedded", "--seed", f"{seed}", "--speed", f"{FAST:g}"),
        config=ours,
        settings=drilled_with,
        data=data,
        opens_at=session.open_at,
        ticker=ticker,
        notional=notional_of(drilled_with),
        signals=signals,
    )


def paper_scene(config: Path) -> Scene:
    """The configuration as it is, on the paper account, where nothing is sent.

    Raises `SettingsRefused`, `HeldByAnother` if the account's own engine runs, and what
    `files_of_venue` raises.
    """
    settings = loaded(config, VenueName.PAPER)
    holder = living_holder(files_of_venue(settings, None, None).lock)
    if holder is not None:
        raise HeldByAnother(
            f"found {holder.named} on the paper account; wanted to be the only one: the"
            " broker lets one in at a time; stop it for the drill"
        )
    return Scene(
        ground=Ground.PAPER,
        config=config.absolute(),
        settings=settings,
        engine=(*ENGINE, "--venue", "paper", "--dry-run"),
    )


@contextmanager
def scratch_in(output_dir: Path) -> Iterator[Path]:
    """A folder beside the report, on the same disk, for as long as this lasts.

    What an earlier run was killed over is taken away too.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    for left in output_dir.iterdir():
        named = _SCRATCH.fullmatch(left.name)
        if named is not None and not psutil.pid_exists(int(named["pid"])):
            shutil.rmtree(left, ignore_errors=True)
    folder = output_dir.absolute() / f"scratch-{os.getpid()}"
    make_private_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _drilled(drill: Drill, scene: Scene, folder: Path, interruptions: Interruptions) -> DrillResult:
    bound_s = drill.bound_s(scene.settings)
    stage = Stage(scene, folder, interruptions)
    took_s, not_done = None, ""
    try:
        took_s = drill.play(stage, bound_s)
        stage.stop()
        stage.judge()
    except (NotDone, VenueSilent) as why:
        not_done = str(why)
    finally:
        stage.close()
    return DrillResult(
        drill=drill.name,
        fault=drill.fault,
        rule=drill.rule,
        invariants=drill.invariants,
        bound_s=bound_s,
        took_s=took_s,
        faults=tuple(stage.faults),
        not_done=not_done,
    )
