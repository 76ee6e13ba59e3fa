"""What was found out last: kept beside the plants, and written out for people in docs/."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.sensitivity.plant import Plant
from tests.sensitivity.plants.all import ALL
from tests.sensitivity.playing import Result, Tried
from tests.sensitivity.selections import Layer

FILE = Path(__file__).parent / "results.json"
PAGE = "docs/planted-bugs.md"
WANTED_PCT = 95

_INTRODUCTION = """\
A test suite is worth as much as the bugs that it would find. Each row is a bug that somebody could
have written, against one invariant. `make sensitivity` plants one at a time: where the module is
imported, one place in its text is replaced, in the processes of that run only. The tests of the
module itself are tried first, then other unit tests that import it or name the invariant, then
those of the whole engine, of commands and runs (ops), of killed processes (crash), and days of the
proof, until one fails. That one has caught it, and has to be green without the bug. The first bug
against each invariant that the proof judges is tried on every layer.

Eighteen of them nobody noticed when they were first planted; the tests that do now were written
then.
"""


def kept(file: Path = FILE) -> tuple[Result, ...]:
    """The results of the last runs."""
    if not file.exists():
        return ()
    return msgspec.json.decode(file.read_bytes(), type=tuple[Result, ...])


def keep(results: Iterable[Result], file: Path = FILE) -> None:
    """Put them in the place of older ones of the same bugs. What is no plant any more goes."""
    _write({result.bug: result for result in (*kept(file), *results)}, file)


def drop_caught_by(tests: Collection[str], file: Path = FILE) -> None:
    """Forget what these tests caught."""
    known = {each.bug: each for each in kept(file) if not any(t.test in tests for t in each.tried)}
    _write(known, file)


def _write(newest: Mapping[str, Result], file: Path) -> None:
    lines = [msgspec.json.encode(newest[each.bug]) for each in ALL if each.bug in newest]
    file.write_bytes(b"[\n" + b",\n".join(lines) + b"\n]\n")


def caught_pct(results: Sequence[Result]) -> float:
    """Of the bugs."""
    return 100 * sum(result.caught is not None for result in results) / len(results)


def sensitivity_page(plants: Sequence[Plant], results: Iterable[Result]) -> str:
    """The planted bugs and what caught them, for docs/."""
    return "\n".join(_page(plants, {result.bug: result for result in results}))


def _page(plants: Sequence[Plant], results: Mapping[str, Result]) -> Iterator[str]:
    yield "<!-- Written by `make docs` from tests/sensitivity; not by hand. -->\n"
    yield f"# Planted bugs, and which tests notice\n\n{_INTRODUCTION}"
    found = [results[plant.bug] for plant in plants if plant.bug in results]
    if found:
        yield from _summary(found)
    yield "| | bug | module | first caught by | layers |\n| --- | --- | --- | --- | --- |"
    for plant in sorted(plants, key=lambda each: each.invariant):
        result = results.get(plant.bug)
        cells = _not_tried() if result is None else _found_out(result)
        yield f"| {plant.invariant} | {plant.bug} | `{plant.module}` | {' | '.join(cells)} |"
    yield ""


def _summary(results: Sequence[Result]) -> Iterator[str]:
    first = Counter(caught.layer for result in results if (caught := result.caught))
    layers = ", ".join(f"{first[layer]} by {layer}" for layer in Layer if first[layer])
    yield (
        f"{len(results)} bugs, {caught_pct(results):.0f} % caught; of those the cheapest layer that"
        f" noticed was: {layers}.\n"
    )
    yield "| layer | bugs tried | caught |\n| --- | --- | --- |"
    for layer in Layer:
        tried = [each for result in results for each in result.tried if each.layer is layer]
        yield f"| {layer} | {len(tried)} | {sum(bool(each.test) for each in tried)} |"
    yield ""


def _not_tried() -> tuple[str, str]:
    return "not tried yet", ""


def _found_out(result: Result) -> tuple[str, str]:
    layers = ", ".join(_verdict(each) for each in result.tried)
    if result.caught is None:
        return "**nobody**", layers
    file, _, test = result.caught.test.partition("::")
    return f"{_sentence(test)} (`{file.removeprefix('tests/')}`)", layers


def _verdict(tried: Tried) -> str:
    return f"{tried.layer} {'no' if not tried.test else 'hangs' if tried.hangs else 'yes'}"


def _sentence(test: str) -> str:
    name = test.rpartition("::")[2].partition("[")[0]
    return name.removeprefix("test_").replace("_s_", "'s ").replace("_", " ")
