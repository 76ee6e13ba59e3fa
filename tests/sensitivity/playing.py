"""Tries planted bugs on the tests, in processes of their own, and says what caught them."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path

import msgspec

from tests.sensitivity.plant import ROOT, NotPlantable, Plant
from tests.sensitivity.reporting import AT, FAILED
from tests.sensitivity.reporting import VARIABLE as REPORT
from tests.sensitivity.selections import WHOLE_ENGINE, Layer, is_of_module, layer_of, selection
from tests.sensitivity.site.sitecustomize import VARIABLE as PLANTED

SITE = Path(__file__).parent / "site"
WITHIN_S = 900.0
"""A run of pytest ends by then; its tests have their own time-outs, far below."""

GREEN, RED, NO_TESTS = 0, 1, 5
"""Exit codes of pytest; after any other nothing is known."""

PYTEST = (
    *(sys.executable, "-m", "pytest"),
    *("-x", "-q", "-m", "not slow", "--hypothesis-seed=0"),
    *("-p", "no:cacheprovider", "-p", "tests.sensitivity.reporting"),
)


class Void(Exception):
    """A run that says nothing: tests that could not be collected, or that fail without the bug."""


class Tried(msgspec.Struct, frozen=True):
    """What one layer made of a plant. `test`: the first that failed; "" if none did."""

    layer: Layer
    test: str
    hangs: bool = False
    """The test came to no end within its time-out."""


class Result(msgspec.Struct, frozen=True):
    """What the tests made of a plant: of the layers that it was tried on, and have tests for it."""

    bug: str
    digest: str
    tried: tuple[Tried, ...]

    @property
    def caught(self) -> Tried | None:
        """The cheapest layer that noticed."""
        return next((each for each in self.tried if each.test), None)


def play(plant: Plant, layers: Iterable[Layer] = Layer, *, everywhere: bool) -> Result:
    """Try a plant on the unit tests, and on all others if those saw nothing; or on each layer.

    What nobody has caught is tried on all tests of the engine last. Raises `Void`.
    """
    tests = {layer: found for layer in layers if (found := selection(plant, layer))}
    tried: list[Tried] = []
    with tempfile.TemporaryDirectory(prefix="plant-") as folder:
        for number, part in enumerate(_parts(plant, tests, everywhere=everywhere)):
            if everywhere or not _is_caught(tried):
                tried = _put_to(tried, _tried(plant, part, Path(folder, str(number))))
        if not _is_caught(tried) and layers is Layer:
            tried = _put_to(tried, _tried(plant, [WHOLE_ENGINE], Path(folder, "whole")))
    if not tried:
        raise Void(f"{plant.bug}: no test has to do with it")
    return Result(plant.bug, plant.digest, tuple(tried))


def _parts(
    plant: Plant, tests: Mapping[Layer, Sequence[str]], *, everywhere: bool
) -> Iterator[list[tuple[Layer, Sequence[str]]]]:
    """What is tried in one start of pytest each: first the tests of the module itself, which catch
    most, and those of other unit tests; then each layer, or all of them together.
    """
    unit = tests.get(Layer.UNIT, ())
    own = [test for test in unit if is_of_module(test, plant.module)]
    for each in (own, [test for test in unit if test not in own]):
        if each:
            yield [(Layer.UNIT, each)]
    others: list[tuple[Layer, Sequence[str]]]
    others = [(layer, of) for layer, of in tests.items() if layer is not Layer.UNIT]
    yield from ([each] for each in others) if everywhere else [others]


def _put_to(before: Iterable[Tried], now: Iterable[Tried]) -> list[Tried]:
    """One for each layer: what it caught, if it did in any part."""
    of = {each.layer: each for each in before}
    for each in now:
        if each.layer not in of or not of[each.layer].test:
            of[each.layer] = each
    return [of[layer] for layer in Layer if layer in of]


def play_all(
    plants: Sequence[Plant],
    layers: Iterable[Layer],
    everywhere: Callable[[Plant], bool],
    *,
    jobs: int,
    seen: Callable[[Result | Void], None] = lambda _: None,
) -> None:
    """Play many, so many at once. `seen` is told of each, in one thread after the other."""
    with ThreadPoolExecutor(jobs) as pool:
        tries = [pool.submit(_played, plant, layers, everywhere(plant)) for plant in plants]
        for done in as_completed(tries):
            seen(done.result())


def red_without_a_bug(results: Iterable[Result], *, jobs: int) -> frozenset[str]:
    """Those of the tests that caught something which fail anyway: of a bug they say nothing."""
    tests = sorted({each.test for result in results for each in result.tried if each.test})
    with ThreadPoolExecutor(jobs) as pool:
        red = pool.map(_red_of, [part for n in range(jobs) if (part := tests[n::jobs])])
        return frozenset(test for part in red for test in part)


def _played(plant: Plant, layers: Iterable[Layer], everywhere: bool) -> Result | Void:
    try:
        return play(plant, layers, everywhere=everywhere)
    except (Void, NotPlantable) as void:
        return Void(str(void))


def _is_caught(tried: Iterable[Tried]) -> bool:
    return any(each.test for each in tried)


def _tried(plant: Plant, part: Sequence[tuple[Layer, Sequence[str]]], folder: Path) -> list[Tried]:
    """What came of each layer, up to the one that caught it. None had to do with it: nothing."""
    layers, tests = [layer for layer, _ in part], [test for _, of in part for test in of]
    if not tests:
        return []
    folder.mkdir()
    planted = folder / "planted.py"
    planted.write_text(plant.source(), encoding="utf-8")
    run = _ran(tests, folder, {PLANTED: f"{plant.module}={planted}", "PYTHONPATH": str(SITE)})
    failed = run.failed
    if run.code == NO_TESTS:  # they are slow, all of them
        return []
    if run.code == GREEN:
        is_seen = planted.with_suffix(".imported").exists()
        return [Tried(layer, "") for layer in layers] if is_seen else []
    if run.code == RED and failed:
        test, hangs = failed[0], False
    elif run.code == RED and "Timeout" in run.output:
        test, hangs = run.last, True
    else:
        raise Void(f"{plant.bug}: pytest ended with {run.code}\n{run.output[-3_000:]}")
    caught = layer_of(test)
    blind = layers[: layers.index(caught)]
    return [*(Tried(layer, "") for layer in blind), Tried(caught, test, hangs)]


def _red_of(tests: Sequence[str]) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="plant-") as folder:
        run = _ran(tests, Path(folder), {}, "--maxfail=0")
    if run.code not in (GREEN, RED):
        raise Void(f"without a bug pytest ended with {run.code}\n{run.output[-3_000:]}")
    return run.failed


class _Run(msgspec.Struct, frozen=True):
    """What became of one process of pytest, with what was reported line by line."""

    code: int
    reported: tuple[str, ...]
    output: str

    @property
    def failed(self) -> list[str]:
        return [line.removeprefix(FAILED) for line in self.reported if line.startswith(FAILED)]

    @property
    def last(self) -> str:
        return self.reported[-1].removeprefix(AT)


def _ran(tests: Sequence[str], folder: Path, environment: Mapping[str, str], *more: str) -> _Run:
    report, arguments, output = folder / "report", folder / "arguments", folder / "output"
    report.touch()
    arguments.write_text("\n".join(tests), encoding="utf-8")  # too many for a command line
    with output.open("wb") as out:
        process = subprocess.Popen(
            [*PYTEST, *more, f"--basetemp={folder / 't'}", f"@{arguments}"],
            cwd=ROOT,
            env={
                **os.environ,
                **environment,
                REPORT: str(report),
                "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
            },
            # A file, for what a test has started may outlive it and hold a pipe open.
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=WITHIN_S)
        finally:
            with suppress(ProcessLookupError):  # nobody is left
                os.killpg(process.pid, signal.SIGKILL)
    return _Run(
        code,
        tuple(report.read_text(encoding="utf-8").splitlines()),
        output.read_text(encoding="utf-8", errors="replace"),
    )
