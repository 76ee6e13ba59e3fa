"""Which tests a planted bug is tried on, by layer, the cheapest first."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

from tests.sensitivity.plant import ROOT, Plant

TESTS = ROOT / "tests"


class Layer(StrEnum):
    """Tests that see the engine in the same way."""

    UNIT = "unit"
    """One module or a few, in this process."""
    ENGINE = "engine"
    """The whole engine on the simulated venue, in virtual time."""
    OPS = "ops"
    """Commands, sockets, watches and whole runs."""
    CRASH = "crash"
    """Processes that are killed, and what they leave."""
    PROOF = "proof"
    """Days of the engine under faults, judged from files."""


WHOLE_ENGINE = (Layer.ENGINE, ("tests/engine",))

_FOLDERS = {
    "engine": Layer.ENGINE,
    "ops": Layer.OPS,
    "deploy": Layer.OPS,
    "stress": Layer.OPS,
    "crash": Layer.CRASH,
    "proving": Layer.PROOF,
}
_NOT_OURS = {"docs", "sensitivity"}
_CLASS_OR_TEST = re.compile(
    r"^class (?P<class>\w+)|^(?P<indent> *)def (?P<test>test_\w+?(?P<ids>(?:_i\d\d)+))\(",
    re.MULTILINE,
)
DAYS = 12
_DAYS = "test_in_a_day_under_faults_no_invariant_is_broken"


def selection(plant: Plant, layer: Layer) -> tuple[str, ...]:
    """The arguments of pytest: the tests that import what is planted, and those that are named
    after the invariant. Of the proof, its first days.
    """
    if layer is Layer.PROOF:
        days = (name for name, _, _ in _tests() if _DAYS in name)
        return tuple(f"{name}[{seed}]" for name in days for seed in range(DAYS))
    importers = list(_importers(plant.module, layer))
    named = [
        name
        for name, of, ids in _tests()
        if of is layer and plant.invariant.lower() in ids and file_of(name) not in importers
    ]
    return (*importers, *named)


def sample(plants: Iterable[Plant]) -> frozenset[str]:
    """The first bug against each invariant that the proof judges, by its sentence."""
    judged = {each.upper() for name, _, ids in _tests() if _DAYS in name for each in ids}
    first: dict[str, str] = {}
    for plant in plants:
        first.setdefault(plant.invariant, plant.bug)
    return frozenset(bug for invariant, bug in first.items() if invariant in judged)


def layer_of(test: str) -> Layer:
    """By its file."""
    return _FOLDERS.get(Path(file_of(test)).parts[1], Layer.UNIT)


def is_of_module(test: str, module: str) -> bool:
    """Whether the test's file is named after the module: `test_gate.py`, `test_gate_key.py`."""
    return Path(file_of(test)).stem.startswith(f"test_{module.rpartition('.')[2]}")


def file_of(test: str) -> str:
    """The part of a test's name before its first `::`."""
    return test.partition("::")[0]


@cache
def _tests() -> tuple[tuple[str, Layer, frozenset[str]], ...]:
    """Every test that names an invariant: how pytest calls it, its layer, the invariants."""
    return tuple(
        ("::".join((name, *names)), layer_of(name), frozenset(ids))
        for path in _test_modules()
        for name in [path.relative_to(ROOT).as_posix()]
        for names, ids in _named_in(path.read_text(encoding="utf-8"))
    )


def _named_in(text: str) -> Iterator[tuple[list[str], list[str]]]:
    inside: list[str] = []
    for found in _CLASS_OR_TEST.finditer(text):
        if found["class"]:
            inside = [found["class"]]
        else:
            names = inside if found["indent"] else []
            yield [*names, found["test"]], found["ids"].strip("_").split("_")


def _test_modules() -> list[Path]:
    paths = sorted(TESTS.rglob("test_*.py"))
    return [path for path in paths if path.relative_to(TESTS).parts[0] not in _NOT_OURS]


def _importers(module: str, layer: Layer) -> Iterator[str]:
    package, _, name = module.rpartition(".")
    wanted = re.compile(
        rf"^from {re.escape(module)} import |^import {re.escape(module)}$"
        rf"|^from {re.escape(package)} import .*\b{name}\b",
        re.MULTILINE,
    )
    for path in _test_modules():
        test = path.relative_to(ROOT).as_posix()
        if layer_of(test) is layer and wanted.search(path.read_text(encoding="utf-8")):
            yield test
