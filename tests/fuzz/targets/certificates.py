"""A bot's certificate: whatever stands in the file, it counts for nothing but its bot."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hydra.certifying.certificate import (
    GOOD_FOR,
    PASSED,
    Certificate,
    RuleResult,
    Subject,
    read,
    signed,
    why_none,
)
from hydra.certifying.rules import RULES
from tests.fuzz.spoiling import spoilt_bytes, spoilt_json
from tests.fuzz.target import Target, Verdict, require

NEEDED = 50
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ABOUT = Subject(
    kind="dip",
    distribution="hydra-dip",
    version="1.0",
    place="hydra_dip.bot:KIND",
    bot_code="11",
    parameters={"dip_pct": 0.5, "bars": 3},
    hydra="0.1.0",
    hydra_code="22",
    python="3.11",
)
FINE = signed(
    Certificate(
        subject=ABOUT,
        seed=0,
        scenarios=200,
        rules=tuple(RuleResult(rule=rule, passed=True) for rule in RULES),
        verdict=PASSED,
        at=NOW,
    )
)
WORDS = (
    *("passed", "failed", *RULES, "2026-11-20T12:00:00", "0001-01-01T00:00:00+23:59"),
    *("9999-12-31T23:59:59-23:59", "2026-08-22T12:00:00Z", "2026-08-22T12:00:01Z"),
)


@contextmanager
def certificate(folder: Path) -> Iterator[Target]:
    """One file, read as a start does. Half of the spoilt ones have a digest that fits again."""
    path = folder / "certificate.json"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        found = read(path)
        if isinstance(found, str):
            return Verdict.REFUSED
        why = why_none(found, ABOUT, NEEDED, NOW)
        if why is not None:
            return Verdict.REFUSED
        is_for_us = found.subject.bot_code == "11" and found.subject.hydra_code == "22"
        require(is_for_us and found.subject.parameters == ABOUT.parameters, "it is of another bot")
        require(found.scenarios >= NEEDED, f"{found.scenarios} scenarios are enough")
        require(all(each.passed for each in found.rules), "a rule is broken")
        require(len(found.rules) == len(RULES), "a rule is missing")
        require(found.at > NOW - GOOD_FOR, f"it is of {found.at}")
        return Verdict.ACCEPTED

    seeds = (msgspec.json.format(msgspec.json.encode(FINE), indent=2), msgspec.json.encode(FINE))
    yield Target(name="certificate", feed=feed, seeds=seeds, spoil=_spoilt)


def _spoilt(data: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.2:
        return spoilt_bytes(data, dice)
    spoilt = spoilt_json(data, dice, WORDS)
    return spoilt if dice.random() < 0.4 else _with_digest(spoilt)


def _with_digest(data: bytes) -> bytes:
    """The same with the digest that it would have, if it is a certificate at all."""
    try:
        found = msgspec.json.decode(data, type=Certificate)
        content = json.loads(data)
        content["digest"] = signed(found).digest
        return json.dumps(content).encode()
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return data
