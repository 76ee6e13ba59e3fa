"""What would keep an engine from trading: the one that runs, or the next one that starts."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.ops.control.place import Place
from hydra.ops.exit_codes import ExitCode
from hydra.ops.health import NO_ENGINE, how_it_is
from hydra.trading.findings import Finding

if TYPE_CHECKING:
    from hydra.settings import Settings
    from hydra.store.engine_files import EngineFiles
    from hydra.trading.strategy_modes import StrategyMode


def findings_of(place: Place) -> tuple[tuple[Finding, ...], ExitCode]:
    """One a check. The code is CLEAN unless an engine is there that does not answer."""
    findings, code = how_it_is(place)
    if code == NO_ENGINE:
        return _at_rest(place), ExitCode.CLEAN
    silent = code == ExitCode.HELD_BY_ANOTHER
    return findings, ExitCode.HELD_BY_ANOTHER if silent else ExitCode.CLEAN


def _at_rest(place: Place) -> tuple[Finding, ...]:
    """What the next start would find. It looks at nothing that only a start can look at."""
    settings = place.require_fit()
    findings = [
        Finding("engine", True, "none runs: this is what the next start would find"),
        Finding("configuration", True, f"it is fit, digest {settings.digest[:12]}"),
    ]
    for name in ("portfoliobot", "exitbot"):
        if not getattr(settings, name).enabled:
            line = f"{name}.enabled is false, so nothing is entered; set it to true"
            findings.append(Finding(name, False, line))
    findings += _keys(place)
    findings += _live(place, settings)
    findings += _record(place, settings)
    return tuple(findings)


def _keys(place: Place) -> list[Finding]:
    from hydra.settings import SettingsRefused, VenueName
    from hydra.settings.mode import lacking, mode_disagreement
    from hydra.settings.secrets import load_secrets

    venue = VenueName(place.venue)
    if venue is VenueName.EMBEDDED:
        return []
    try:
        secrets = load_secrets(Path(".env"), os.environ)
    except SettingsRefused as refused:
        return [Finding("keys", False, str(refused))]
    mixed_up = mode_disagreement(venue, secrets, secrets.live_switch)
    faults = [*([mixed_up] if mixed_up else []), *lacking(venue, secrets)]
    line = "; ".join(faults) or "they are there; `preflight --contact` tries them"
    return [Finding("keys", not faults, line)]


def _live(place: Place, settings: Settings) -> list[Finding]:
    from hydra.settings import SettingsRefused, VenueName
    from hydra.settings.secrets import load_secrets

    if settings.broker.venue is not VenueName.LIVE:
        return []
    try:
        secrets = load_secrets(Path(".env"), os.environ)
    except SettingsRefused:
        return []  # which is a finding of its own, and no start comes as far as this
    return [live_finding(place.files, settings, secrets.strategy_mode)]


def live_finding(files: EngineFiles, settings: Settings, named: StrategyMode | None) -> Finding:
    """Whether the next start on live may trade real money (H6); ends the command where nobody can
    read its record.
    """
    from hydra.ops.going_live.looking import live_record_at_rest, live_verdict
    from hydra.ops.offline import one_line_for_faults

    with one_line_for_faults():
        record = live_record_at_rest(files)
        cache = files.cache if files.cache.is_dir() else None  # nothing is made by looking
        verdict = live_verdict(settings, named, files, record, time.time_ns(), cache=cache)
    return Finding("live", verdict.allowed is not None, verdict.line)


def _record(place: Place, settings: Settings) -> list[Finding]:
    from hydra.ops.control.causes import LET_GO
    from hydra.ops.control.recorded import status_at_rest
    from hydra.ops.offline import one_line_for_faults
    from hydra.store.engine_files import is_first_start

    with one_line_for_faults():
        if is_first_start(place.files):
            return [Finding("record", True, "there is none yet: the first start makes it")]
        told = status_at_rest(place.files, place.venue)
        bad, to_come = _not_well(place), _to_come(place, settings)
    unknown = told["orders"]["unknown"]
    return [
        Finding("record", True, str(told["ended"])),
        *bad,
        *(
            Finding(
                "halt",
                cause["ends"] == LET_GO,
                f"{cause['code']}: {cause['detail']} ({cause['ends']})",
            )
            for cause in told["causes"]
        ),
        *to_come,
        Finding("orders", not unknown, f"{told['orders']['open']} open, {unknown} of unknown fate"),
    ]


def _not_well(place: Place) -> list[Finding]:
    """What `verify` finds: no engine starts on it. What the halt marker says is a halt."""
    from hydra.ops.verify import in_words, shown_progress
    from hydra.store.verification import HALT_MARKER, verify_record

    with shown_progress() as progress:
        found = verify_record(place.files, place.venue, progress)
    return [
        Finding("record", False, f"{check.name}: {in_words(check)}")
        for check in found.checks
        if not check.is_well and check.name != HALT_MARKER
    ]


def _to_come(place: Place, settings: Settings) -> list[Finding]:
    """What stands once it has started, and was not let go by a `resume` of before."""
    from hydra.ops.control.recorded import causes_of_next_start
    from hydra.terms import clearing_policy
    from hydra.trading.causes import remedy_of
    from hydra.trading.trading_state import CauseClass

    causes = causes_of_next_start(
        place.files,
        needs_person=clearing_policy(settings).operator_only,
        now_wall=time.time_ns(),
    )
    return [
        Finding(
            "halt",
            cause.cause_class is CauseClass.START,
            f"{cause.code}, with the next start: {cause.detail} ({remedy_of(cause.code)})",
        )
        for cause in causes
    ]
