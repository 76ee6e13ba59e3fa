"""The fuzzing itself: what is planted is found, made small and written down, in virtual time."""

import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.fuzz.engine import Fuzzing, Report, checked
from tests.fuzz.scripts import parts_of, script, text_of
from tests.fuzz.spoiling import spoilt_bytes, spoilt_json, spoilt_lines
from tests.fuzz.target import Target, Verdict, require

SEED = b"0123456789"


class Depth:
    """Coverage that grows with each byte that is right: what leads there step by step."""

    def __init__(self) -> None:
        self.reached = 0
        self.now = 0

    def begin(self) -> None:
        self.now = 0

    def is_new(self) -> bool:
        is_new = self.now > self.reached
        self.reached = max(self.reached, self.now)
        return is_new


def target(feed: Callable[[bytes], Verdict]) -> Target:
    return Target(
        name="planted", feed=feed, seeds=(SEED,), spoil=spoilt_bytes, refusals=(ValueError,)
    )


def run(
    feed: Callable[[bytes], Verdict],
    folder: Path | None = None,
    depth: Depth | None = None,
    inputs: int = 2_000,
) -> Report:
    """As many inputs as that: each look at the clock is a second."""
    ticks: Iterator[int] = count()
    fuzzing = Fuzzing(
        target(feed), (), depth or Depth(), failures=folder, clock=lambda: float(next(ticks))
    )
    return fuzzing.run(inputs)


def test_what_is_refused_as_documented_is_no_finding() -> None:
    def feed(data: bytes) -> Verdict:
        if data != SEED:
            raise ValueError("another one")
        return Verdict.ACCEPTED

    report = run(feed)

    assert report.findings == []
    assert report.accepted >= 1 and report.refused > 1_000


def test_another_exception_is_found_once_and_written_down(tmp_path: Path) -> None:
    def feed(data: bytes) -> Verdict:
        if b"\0" in data:
            raise KeyError("planted")
        return Verdict.ACCEPTED

    report = run(feed, tmp_path)

    (finding,) = report.findings
    assert finding.what.startswith("KeyError")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [finding.input]


def test_a_finding_is_made_as_small_as_can_be() -> None:
    def feed(data: bytes) -> Verdict:
        if b"\0" in data:
            raise KeyError("planted")
        return Verdict.ACCEPTED

    finding = checked(target(feed), b"much before it \0 and behind it")
    assert finding is not None
    fuzzing = Fuzzing(target(feed), [finding.input], Depth(), clock=lambda: 0.0)

    fuzzing.feed(finding.input)

    assert [each.input for each in fuzzing.report.findings] == [b"\0"]


def test_an_oracle_that_objects_is_a_finding() -> None:
    def feed(data: bytes) -> Verdict:
        require(len(data) <= len(SEED), "too long, and accepted")
        return Verdict.ACCEPTED

    (finding,) = run(feed).findings

    assert finding.what == "Broken: too long, and accepted"


def test_what_takes_too_long_is_a_finding() -> None:
    def feed(data: bytes) -> Verdict:
        return Verdict.ACCEPTED

    patient = target(feed)
    hurried = Target(name="planted", feed=feed, seeds=(SEED,), spoil=spoilt_bytes, seconds_max=-1.0)

    assert checked(patient, SEED) is None
    finding = checked(hurried, SEED)
    assert finding is not None and finding.what.startswith("hang")


def test_what_keeps_something_of_each_input_is_a_finding() -> None:
    kept: list[bytes] = []

    def feed(data: bytes) -> Verdict:
        kept.append(data + b"!")
        return Verdict.ACCEPTED

    fuzzing = Fuzzing(target(feed), (), Depth())
    fuzzing.feed(SEED)
    fuzzing.look_for_growth()

    (finding,) = fuzzing.report.findings
    assert finding.what.startswith("growth")


def test_what_reaches_further_is_spoilt_further() -> None:
    depth = Depth()

    def feed(data: bytes) -> Verdict:
        depth.now = next((at for at, each in enumerate(data) if each), len(data))
        require(depth.now < 3, "three zeros")
        return Verdict.ACCEPTED

    report = run(feed, depth=depth, inputs=20_000)

    assert [finding.what for finding in report.findings] == ["Broken: three zeros"]


def test_the_same_seed_gives_the_same_inputs() -> None:
    runs: list[list[bytes]] = [[], []]
    for told in runs:

        def feed(data: bytes, told: list[bytes] = told) -> Verdict:
            told.append(data)
            return Verdict.ACCEPTED

        run(feed, inputs=200)

    assert runs[0] == runs[1]


@pytest.mark.parametrize("spoil", [spoilt_bytes, spoilt_lines, spoilt_json])
def test_anything_can_be_spoilt(spoil: Callable[[bytes, random.Random], bytes]) -> None:
    dice = random.Random(1)
    data = b'{"a": [1, "2", {"b": null}], "c": "2026-11-23T14:31:07Z"}\n{"d": 0.5}\n'
    made = set()
    for _ in range(2_000):
        made.add(data := spoil(data, dice)[:2_000])

    assert len(made) > 500


def test_a_script_is_read_as_it_was_written() -> None:
    text = script(("GET /v2/account", 200, {"a": 1}), ("POST /v2/orders", 422, []))

    assert parts_of(text) == [
        (b"GET /v2/account 200", b'{"a": 1}'),
        (b"POST /v2/orders 422", b"[]"),
    ]
    assert text_of(parts_of(text)) == text
