"""The screen of `debug top`, as text: what matters is there, and it fits."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.actor import SECOND, Actor, ChildSpec
from hydra.ops.debug.commands import execute
from hydra.ops.debug.top import SORTS, Line, View, picture, with_rates
from tests.ops.debug.engines import FRAIL, KEEPER, STUCK, Crash, Hang, Note, Sim


def overview(sim: Sim) -> dict[str, Any]:
    data = execute(sim.runtime, "overview", {})
    assert isinstance(data, dict)
    return data


@pytest.fixture
def sim() -> Sim:
    """Trading halted by an operator; one actor hangs, one has failed, messages went astray."""
    sim = Sim()
    sim.tell(STUCK, Hang(), Note(), Note())
    # A shorter limit, set only after the hang began: so the screen finds it before the watch does.
    sim.runtime.cells[STUCK.path].spec = ChildSpec(name="stuck", actor=Actor, hang_after=SECOND)
    sim.runtime.advance(2 * SECOND)
    sim.tell(FRAIL, Crash())
    sim.tell(type(KEEPER)("/gone"), Note())
    execute(sim.runtime, "halt", {"reason": "smoke"})
    sim.runtime.gate.arm(
        tuple(c for c in sim.runtime.gate.standing() if c.code != "start"), "a test", 2
    )
    return sim


def cells(lines: list[Line], name: str) -> list[str]:
    """The words of an actor's line."""
    (line,) = [line.text for line in lines if line.text.split()[:1] == [name]]
    return line.split()


def test_the_gate_and_what_is_wrong_stand_on_top(sim: Sim) -> None:
    lines = picture(with_rates(overview(sim), None), View(width=80, height=24))

    top = [line.text for line in lines[:6]]
    assert top[0].startswith("HYDRA pid ")
    assert "8 actors by tree" in top[0]
    assert top[1].startswith("gate  HALTED   epoch 3   lease NONE   in flight 0")
    assert top[2] == "      HALTED by operator-halt (integrity): smoke (debug socket, this process)"
    assert top[3] == "dead letters 2: no-such-path 1, poison 1"
    assert top[4] == f"HANGS {STUCK.path}"
    assert [lines[1].style, lines[2].style, lines[4].style] == ["bold red", "red", "bold red"]


def test_every_actor_has_a_line_in_start_order(sim: Sim) -> None:
    lines = picture(with_rates(overview(sim), None), View(width=80, height=24))

    (header,) = [line.text for line in lines if line.text.startswith("ACTOR")]
    assert header.split() == ["ACTOR", "STATUS", "DEPTH", "AGE", "MSG/S", "BUSY", "RESTARTS"]
    names = [line.text.split()[0] for line in lines[-8:]]
    assert names == ["/root", "core", "journal", "keeper", "sender", "bots", "stuck", "frail"]
    assert cells(lines, "stuck") == ["stuck", "HANGS", "2", "2", "s", "–", "2", "s", "·"]
    assert cells(lines, "frail")[:2] == ["frail", "backoff"]
    styles = {line.text.split()[0]: line.style for line in lines[-8:]}
    assert (styles["stuck"], styles["frail"], styles["keeper"]) == ("bold red", "yellow", "")


def test_rates_are_counted_between_two_looks() -> None:
    sim = Sim()
    before = overview(sim)
    for _ in range(20):
        sim.tell(KEEPER, Note())
    sim.runtime.advance(2 * SECOND)

    lines = picture(with_rates(overview(sim), before), View(width=80, height=24))

    assert cells(lines, "keeper") == ["keeper", "running", "·", "·", "10", "·", "·"]


def test_sorting_puts_the_worst_first_and_tells_whose_they_are(sim: Sim) -> None:
    data = with_rates(overview(sim), None)

    def first(sort: str) -> str:
        lines = [line.text for line in picture(data, View(width=80, height=24, sort=sort))]
        (at,) = [place for place, line in enumerate(lines) if line.startswith("ACTOR")]
        return lines[at + 1].split()[0]

    assert {sort: first(sort) for sort in SORTS} == {
        "tree": "/root",
        "depth": "bots/stuck",
        "age": "bots/stuck",
        "rate": "/root",
        "busy": "bots/stuck",
    }


def test_a_wide_screen_shows_more_columns(sim: Sim) -> None:
    lines = picture(with_rates(overview(sim), None), View(width=160, height=50))

    (header,) = [line.text for line in lines if line.text.startswith("ACTOR")]
    assert {"CONTROL", "MOST", "HANDLED", "FAILED", "REJECTED"} <= set(header.split())


def test_what_has_no_room_is_counted(sim: Sim) -> None:
    lines = picture(with_rates(overview(sim), None), View(width=80, height=12, keys=True))

    assert lines[-1].text == "… and 4 more: s sorts, a PATH shows less"
    assert len(lines) <= 12


def test_many_causes_do_not_push_the_actors_away() -> None:
    data = with_rates(overview(Sim()), None)
    (cause,) = data["gate"]["causes"]
    crowded = {**data, "gate": {**data["gate"], "causes": [cause] * 9}}

    lines = [line.text for line in picture(crowded, View(width=80, height=24))]

    assert "      and 5 more causes" in lines
    assert any(line.startswith("/root") for line in lines)


@given(
    st.integers(20, 200),
    st.integers(8, 60),
    st.sampled_from(SORTS),
    st.booleans(),
    st.text(min_size=1, max_size=90),
)
def test_nothing_is_wider_or_higher_than_the_screen(
    width: int, height: int, sort: str, paused: bool, name: str
) -> None:
    data = with_rates(overview(Sim()), None)
    odd = {**data["rows"][-1], "path": f"/root/{name}", "depth": 10**9, "oldest_ms": 1e12}
    odd_data = {**data, "rows": [*data["rows"], odd]}

    lines = picture(odd_data, View(width=width, height=height, sort=sort, paused=paused, keys=True))

    assert all(len(line.text) <= width for line in lines)
    assert len(lines) <= height
    assert all(character.isprintable() for line in lines for character in line.text)
