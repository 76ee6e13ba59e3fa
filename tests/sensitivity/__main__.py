"""`make sensitivity`: play the planted bugs, keep what was found out, and write its page.

ARGS chooses: words, of which one has to be in a bug's sentence, invariant or module; `--left`,
which leaves out what was caught before as it is; `--quick`, which tries nothing on killed processes
and on the proof; `--jobs N`, so many at once.
"""

import argparse
import os
import sys
import time

from tests.sensitivity.plant import ROOT, Plant
from tests.sensitivity.plants.all import ALL
from tests.sensitivity.playing import Result, Void, play_all, red_without_a_bug
from tests.sensitivity.results import PAGE, caught_pct, drop_caught_by, keep, kept, sensitivity_page
from tests.sensitivity.selections import Layer, sample

QUICK = (Layer.UNIT, Layer.ENGINE, Layer.OPS)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sensitivity")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--left", action="store_true")
    chosen = parser.parse_args()
    caught = {result.digest for result in kept() if result.caught} if chosen.left else set()
    plants = [p for p in ALL if p.digest not in caught and _is_meant(p, chosen.words)]
    sampled = frozenset() if chosen.quick else sample(ALL)
    began, results, voids = time.monotonic(), [], []

    def seen(found: Result | Void) -> None:
        if isinstance(found, Void):
            voids.append(found)
            says = f"VOID: {found}"
        else:
            results.append(found)
            keep([found])
            by = f"{found.caught.layer}: {found.caught.test}" if found.caught else "NOBODY"
            says = f"{found.bug}  {by}"
        over = len(results) + len(voids)
        _say(f"{over}/{len(plants)} {time.monotonic() - began:.0f} s  {says}")

    layers = QUICK if chosen.quick else Layer
    play_all(plants, layers, lambda plant: plant.bug in sampled, jobs=chosen.jobs, seen=seen)
    red = red_without_a_bug(results, jobs=chosen.jobs)
    drop_caught_by(red)
    for test in sorted(red):
        _say(f"red without a bug, so nothing is known of what it caught: {test}")
    (ROOT / PAGE).write_text(sensitivity_page(ALL, kept()), encoding="utf-8")
    _say(f"caught {caught_pct(kept()):.0f} % of {len(kept())}, of {len(ALL)} bugs")
    return 1 if voids or red else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _is_meant(plant: Plant, words: list[str]) -> bool:
    text = f"{plant.bug} {plant.invariant} {plant.module}".lower()
    return not words or any(word.lower() in text for word in words)


if __name__ == "__main__":
    sys.exit(main())
