import io
import json
from pathlib import Path

import pytest

from hydra.ops.bench import main
from hydra.ops.bench.command import NoSuchMeasurement, folder_for_state, named, qualify
from hydra.ops.bench.measurements import all_measurements
from hydra.ops.bench.rows import (
    Bar,
    CouldNotMeasure,
    Effort,
    Figure,
    Measured,
    Measurement,
)

EFFORT = Effort(rounds=1, scale=0.001)


def measuring(name: str, value: float, bar: Bar) -> Measurement:
    """A measurement that gives this value at once."""
    figure = Figure(name=f"{name}_figure", unit="s", what=name, bound="one second", bar=bar)
    return Measurement(name=name, figures=(figure,), take=lambda _: (Measured(value, 1.0),))


def impossible(_: Effort) -> tuple[Measured, ...]:
    raise CouldNotMeasure("the disk is full")


KEPT = measuring("kept", 1.0, Bar(at_most=1))
INFORMATION = measuring("information", 9.0, Bar())
NOT_KEPT = measuring("not_kept", 2.0, Bar(at_most=1))
IMPOSSIBLE = Measurement(name="impossible", figures=NOT_KEPT.figures, take=impossible)


@pytest.mark.parametrize(
    ("measurements", "code"),
    [
        ((KEPT, INFORMATION), 0),
        ((KEPT, NOT_KEPT), 1),
        ((KEPT, IMPOSSIBLE), 1),
        ((), 1),
    ],
)
def test_the_exit_code_says_whether_every_bar_is_kept(
    measurements: tuple[Measurement, ...], code: int
) -> None:
    assert qualify(measurements, EFFORT, True, io.StringIO(), io.StringIO()) == code


def test_json_stands_alone_on_the_standard_output() -> None:
    out, err = io.StringIO(), io.StringIO()

    qualify((KEPT, IMPOSSIBLE), EFFORT, True, out, err)

    shown = [(row["name"], row["value"], row["pass"]) for row in json.loads(out.getvalue())]
    assert shown == [("kept_figure", 1.0, True), ("not_kept_figure", None, False)]
    assert "cores" in err.getvalue()
    assert "impossible: not measured: the disk is full\n" in err.getvalue()


def test_text_begins_with_the_machine() -> None:
    out = io.StringIO()

    qualify((KEPT,), EFFORT, False, out, io.StringIO())

    machine, _, row = out.getvalue().splitlines()
    assert "cores, " in machine
    assert row.startswith("ok  kept_figure")


@pytest.mark.parametrize("name", ["not_kept", "not_kept_figure"])
def test_one_measurement_is_chosen_by_its_name_or_a_figures(name: str) -> None:
    assert named((KEPT, NOT_KEPT), [name]) == (NOT_KEPT,)


def test_several_are_taken_in_their_usual_order_and_once() -> None:
    chosen = named((KEPT, INFORMATION, NOT_KEPT), ["not_kept", "kept", "kept_figure"])

    assert chosen == (KEPT, NOT_KEPT)


def test_no_name_means_all() -> None:
    assert named((KEPT, NOT_KEPT), []) == (KEPT, NOT_KEPT)


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(NoSuchMeasurement, match=r"--only nix: .* there are kept, not_kept"):
        named((KEPT, NOT_KEPT), ["kept", "nix"])


def test_an_unknown_name_is_a_wrong_option(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--only", "nix"])

    assert code == 2
    assert "--only nix: no such measurement" in capsys.readouterr().err


def test_explaining_names_every_figure_and_measures_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = main(["--explain"])

    explained = capsys.readouterr().out
    figures = [
        f for one in all_measurements(config=tmp_path, state_dir=tmp_path) for f in one.figures
    ]
    assert code == 0
    assert all(f"{figure.name} ({figure.unit}" in explained for figure in figures)


def test_names_of_measurements_and_figures_are_unique(tmp_path: Path) -> None:
    measurements = all_measurements(config=tmp_path, state_dir=tmp_path)

    names = [one.name for one in measurements]
    figures = [figure.name for one in measurements for figure in one.figures]

    assert len(set(names)) == len(names)
    assert len(set(figures)) == len(figures)


def test_the_disk_is_that_of_the_state_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = folder_for_state(Path("state"))
    (tmp_path / "state").mkdir()

    assert (before, folder_for_state(Path("state"))) == (tmp_path, Path("state"))
