"""The venue's side of being in step: what it says to the engine, and how long it waits for it."""

import asyncio

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.ops.venue.in_step import InStep
from hydra.ops.venue.pipe import Through
from hydra.ops.venue.serving import VenueOptions, serve_venue
from tests.venues.server.kit import in_loop

SHORT_S = 0.02


class Told:
    """What the venue said to the engine, and what went out on its streams."""

    def __init__(self) -> None:
        self.frames = 0
        self.lines: list[str] = []

    async def frames_out(self) -> int:
        return self.frames

    async def has_said(self, *lines: str) -> None:
        while self.lines != [*lines]:  # noqa: ASYNC110  # it takes a turn of the loop or two
            await asyncio.sleep(0)


def test_time_goes_on_once_the_engine_is_through_with_all_that_it_was_told_meanwhile() -> None:
    async def test() -> None:
        told = Told()
        step = InStep(told.frames_out, told.lines.append)
        told.frames = 3
        moment = asyncio.create_task(step.through())
        await told.has_said("step 1 3")

        told.frames = 4  # what came of it: its order was accepted
        step.hear(Through(1))
        await told.has_said("step 1 3", "step 2 4")
        step.hear(Through(1))  # too late: it is not asked any more
        await asyncio.sleep(0)
        assert not moment.done()
        step.hear(Through(2))
        await moment

    in_loop(test)


def test_time_goes_on_once_the_engine_has_heard_how_far_it_runs() -> None:
    async def test() -> None:
        told = Told()
        step = InStep(told.frames_out, told.lines.append)
        told.frames = 3  # of which none is waited for: they are of the next moment
        moment = asyncio.create_task(step.heard())
        await told.has_said("step 1 0")
        await asyncio.sleep(0)
        assert not moment.done()

        step.hear(Through(1))
        await moment

    in_loop(test)


def test_where_nothing_was_told_nobody_is_waited_for() -> None:
    async def test() -> None:
        told = Told()
        step = InStep(told.frames_out, told.lines.append)
        await step.through()
        assert told.lines == []

    in_loop(test)


def test_an_engine_that_hangs_is_waited_for_less_and_less_until_it_is_back() -> None:
    async def test() -> None:
        told = Told()
        step = InStep(told.frames_out, told.lines.append, patience_s=SHORT_S)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(3):
            told.frames += 1
            await step.through()
        assert loop.time() - began >= 3 * SHORT_S
        assert told.lines == ["step 1 1", "step 2 2", "step 3 3"]

        told.frames += 1
        moment = asyncio.create_task(step.through())
        await told.has_said("step 1 1", "step 2 2", "step 3 3", "step 4 4")
        step.hear(Through(4))
        await moment

    in_loop(test)


@pytest.mark.parametrize("in_step", [True, False])
def test_without_a_parent_there_is_nobody_to_wait_for(
    in_step: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = VenueOptions(symbols=("AAPL",), in_step=in_step, start_on_go=not in_step)
    code = serve_venue(alone)

    said = capsys.readouterr().err
    assert (code, "found no --exit-with-parent" in said) == (ExitCode.USAGE, True), said
