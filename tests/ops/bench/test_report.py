import io

import pytest

from hydra.ops.bench.machine import Machine
from hydra.ops.bench.report import number_text, write_table, write_text
from hydra.ops.bench.rows import Bar, Figure, Measured, missing_row, row_of

FAN_OUT = Figure(
    name="fan_out",
    unit="ms",
    what="a bar to all",
    bound="calls",
    bar=Bar(at_most=10),
    aim="1 ms",
)
HOP = Figure(name="hop", unit="µs", what="a hop", bound="a queue")
ROWS = (row_of(FAN_OUT, Measured(12.5, 0.2)), row_of(HOP, Measured(30, 17.25)), missing_row(HOP))
AIMS = {"fan_out": "1 ms", "hop": ""}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (7.0, "7"),
        (1_869_671.4, "1,869,671"),
        (123.4, "123"),
        (30.04, "30.0"),
        (1.788, "1.79"),
        (0.1256, "0.126"),
        (0.000956, "0.000956"),
        (0.00000000001, "0.000000000"),
        (-0.5, "-0.500"),
    ],
)
def test_a_number_shows_the_digits_that_matter(value: float | None, text: str) -> None:
    assert number_text(value) == text


def test_text_is_aligned_and_marks_what_fails() -> None:
    out = io.StringIO()

    write_text(ROWS, AIMS, out)

    assert out.getvalue().splitlines() == [
        "      what     value  unit  bar    bound    bound's value  ratio  aim",
        "FAIL  fan_out   12.5  ms    <= 10  calls            0.200   62.5  1 ms",
        "      hop         30  µs           a queue           17.2   1.74",
        "FAIL  hop          -  µs           a queue              -      -",
    ]


def test_the_table_of_a_terminal_shows_the_same() -> None:
    out = io.StringIO()

    write_table(ROWS, AIMS, out)

    shown = out.getvalue()
    assert all(word in shown for word in ("FAIL", "fan_out", "12.5", "<= 10", "62.5", "1 ms"))


@pytest.mark.parametrize(
    ("load", "warned"), [(0.0, False), (1.0, False), (1.01, True), (float("nan"), True)]
)
def test_a_busy_machine_is_warned_of(load: float, warned: bool) -> None:
    machine = Machine(cores=2, python="CPython 3.11.7", system="linux x86_64", load=load)

    assert (machine.warning is not None) is warned
