"""The watch's own lines: all of them where somebody takes them, and nobody waits where not."""

from __future__ import annotations

import os
from pathlib import Path

from hydra.ops.alerts.printing import Printing
from tests.waiting import Timed


def test_every_line_is_printed_in_order(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        printing = Printing(out.fileno())
        for number in range(100):
            printing.say(f"line {number} ü")
        printing.close(10)

    lines = (tmp_path / "out").read_text().splitlines()
    assert lines == [f"line {number} ü" for number in range(100)]


def test_nobody_waits_for_a_terminal_that_was_halted_or_a_reader_that_is_gone() -> None:
    read, write = os.pipe()  # nobody reads: after 64 KB it takes no more
    printing = Printing(write)
    with Timed() as saying:
        for _ in range(10_000):
            printing.say("x" * 100)
        printing.close(0.1)
    assert saying.took_s < 5

    os.close(read)
    os.close(write)
