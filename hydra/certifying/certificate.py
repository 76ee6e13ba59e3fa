"""The certificate of a bot: that its very code, with these parameters, has kept all rules.

It lies beside the state, one file for each kind and parameters, and is asked for at each start on
paper and live. Missing, unreadable, edited, failed, or of anything else than what is about to run:
all of these are none. The digest in it finds mistakes, and is no defence against malice; whoever
can write here can also install code.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from hydra.certifying.rules import RULES
from hydra.ops.artefacts import folder as files
from hydra.ops.code_version import code_version
from hydra.plugins import INERT, Origin, PluginBroken, bot_kind, bot_origin, code_of
from hydra.settings import Settings, VenueName
from hydra.store.private_files import make_private_folder
from hydra.store.syncing import sync_folder
from hydra.trading.strategies.strategy import BadParameters, parameters_from

FORMAT = 1
SCENARIOS_NEEDED = {VenueName.PAPER: 50, VenueName.LIVE: 200}
"""By venue; others ask for no certificate."""
GOOD_FOR = timedelta(days=90)
"""What the bot's distribution needs of others is not in its digest, and changes with time."""
CLOCKS_APART_MAX = timedelta(seconds=5)
PASSED, FAILED = "passed", "failed"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate is about, all of which has to be the same when the bot starts.

    `parameters` are those of the bot's schema, defaults too. `hydra_code` as of `CodeVersion`.
    """

    kind: str
    distribution: str
    version: str
    place: str
    bot_code: str
    parameters: dict[str, Any]
    hydra: str
    hydra_code: str
    python: str


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a rule; a broken one with the first scenario that shows it, and how."""

    rule: str
    passed: bool
    scenario: int | None = None
    what: str = ""


class Certificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `at` is by the machine's clock; `digest` is of all else in it."""

    format: int = FORMAT
    subject: Subject
    seed: int
    scenarios: int
    rules: tuple[RuleResult, ...]
    verdict: str
    at: datetime
    digest: str = ""


def subject_of(kind: str, parameters: Mapping[str, object]) -> Subject:
    """Of what is installed. Raises `BadParameters` and `PluginBroken`."""
    origin: Origin = bot_origin(kind)
    schema = bot_kind(kind).parameters
    read = parameters_from(parameters, schema, strategy=kind)
    own = code_version()
    return Subject(
        kind=kind,
        distribution=origin.distribution,
        version=origin.version,
        place=origin.place,
        bot_code=code_of(kind),
        parameters=msgspec.to_builtins(read, str_keys=True),
        hydra=own.version,
        hydra_code=own.code,
        python=_python(),
    )


def signed(certificate: Certificate) -> Certificate:
    """The same with its digest."""
    return replace(certificate, digest=_digest_of(certificate))


def why_none(found: Certificate, wanted: Subject, scenarios: int, now: datetime) -> str | None:
    """Why it is none for this; None: it is one, of so many scenarios at least.

    `now` is by the machine's clock, with its offset.
    """
    if found.format != FORMAT:
        return f"found a certificate of format {found.format}, wanted {FORMAT}"
    if found.digest != _digest_of(found):
        return "found a certificate that was edited"
    broken = [each for each in found.rules if not each.passed]
    if broken or found.verdict != PASSED:
        first = broken[0] if broken else None
        what = "" if first is None else f": {first.rule} (scenario {first.scenario}): {first.what}"
        return f"found that it has failed{what}"
    if tuple(each.rule for each in found.rules) != tuple(RULES):
        return "found a certificate of other rules"
    other = next(_differences(found.subject, wanted), None)
    if other is not None:
        return f"found a certificate of other {other}"
    if found.scenarios < scenarios:
        return f"found a certificate of {found.scenarios} scenarios, wanted {scenarios}"
    if found.at.tzinfo is None:
        return "found a certificate without an offset in its date, wanted UTC"
    if found.at > now + CLOCKS_APART_MAX:
        return f"found a certificate of {_day(found.at)}, which is to come"
    if now >= found.at + GOOD_FOR:
        days = GOOD_FOR.days
        return f"found a certificate of {_day(found.at)}, wanted one of the last {days} days"
    return None


def path_in(folder: Path, subject: Subject) -> Path:
    """Where the certificate for this kind and these parameters lies."""
    parameters = msgspec.json.encode(subject.parameters, order="sorted")
    return folder / f"{subject.kind}-{_hash(parameters, 4)}.json"


def keep(folder: Path, certificate: Certificate, now: datetime) -> bool:
    """Put it in place of the one before; whether that was done. Raises OSError.

    One that has passed does not replace a better one for the same: of more scenarios, that is.
    """
    path = path_in(folder, certificate.subject)
    before = read(path)
    if (
        certificate.verdict == PASSED
        and isinstance(before, Certificate)
        and before.scenarios > certificate.scenarios
        and why_none(before, certificate.subject, before.scenarios, now) is None
    ):
        return False
    make_private_folder(folder)
    files.replace(path, msgspec.json.format(msgspec.json.encode(certificate), indent=2) + b"\n")
    sync_folder(folder)
    return True


def read(path: Path) -> Certificate | str:
    """The certificate, or why there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Certificate)
    except FileNotFoundError:
        return "found no certificate"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror or error}"
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return f"{path} is no certificate: {error}"


def uncertified_bots(
    settings: Settings, folder: Path, now: datetime | None = None
) -> dict[str, str]:
    """The enabled bots of other distributions that have no certificate for the settings' venue, and
    in one line each why, and what to do. Where none is needed there are none.
    """
    scenarios = SCENARIOS_NEEDED.get(settings.broker.venue)
    if scenarios is None:
        return {}
    at = now or datetime.now(UTC)
    found: dict[str, str] = {}
    for bot in settings.plugin_bots:
        if not bot.enabled or bot.kind == INERT:
            continue
        why = _why_uncertified(bot.kind, bot.params, folder, scenarios, at)
        if why is not None:
            found[bot.bot_id] = f"{why}; run `hydra-trader certify {bot.kind}`, then start again"
    return found


def _why_uncertified(
    kind: str, parameters: Mapping[str, object], folder: Path, scenarios: int, now: datetime
) -> str | None:
    try:
        wanted = subject_of(kind, parameters)
    except (BadParameters, PluginBroken, OSError) as error:
        return f"what it is cannot be told: {error}"
    found = read(path_in(folder, wanted))
    return found if isinstance(found, str) else why_none(found, wanted, scenarios, now)


def _differences(found: Subject, wanted: Subject) -> Iterator[str]:
    """What it is of, in words; the most telling first."""
    bots = {(each.kind, each.distribution, each.place) for each in (found, wanted)}
    if len(bots) > 1:
        yield f"bots: {found.kind} of {found.distribution} ({found.place})"
    if found.bot_code != wanted.bot_code:
        this = f"{wanted.version} ({wanted.bot_code})"
        yield f"code: {found.version} ({found.bot_code}), and this is {this}"
    if found.parameters != wanted.parameters:
        yield "parameters"
    if found.hydra_code != wanted.hydra_code:
        this = f"{wanted.hydra} ({wanted.hydra_code})"
        yield f"engines: Hydra {found.hydra} ({found.hydra_code}), and this is {this}"
    if found.python != wanted.python:
        yield f"Pythons: {found.python}, and this is {wanted.python}"


def _digest_of(certificate: Certificate) -> str:
    return _hash(msgspec.json.encode(replace(certificate, digest=""), order="sorted"), 16)


def _hash(content: bytes, size: int) -> str:
    return hashlib.blake2b(content, digest_size=size).hexdigest()


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _day(at: datetime) -> str:
    return at.date().isoformat()  # as it stands there: some have no date elsewhere
