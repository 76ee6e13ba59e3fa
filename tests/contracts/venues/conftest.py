"""Every contract of a venue runs on each of its faces: a new venue is one more line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from tests.contracts.venues.face import Face, FaceTerms
from tests.contracts.venues.in_process import InProcessFace
from tests.contracts.venues.rest import RestFace
from tests.contracts.venues.scene import pause_before

MakeFace: TypeAlias = Callable[[FaceTerms], Face]

FACES: dict[str, MakeFace] = {"in process": InProcessFace, "rest and stream": RestFace}


@pytest.fixture(params=FACES)
def make_face(request: pytest.FixtureRequest) -> Iterator[MakeFace]:
    """Makes faces of one kind, which end with the test."""
    made: list[Face] = []

    def make(terms: FaceTerms) -> Face:
        made.append(FACES[request.param](terms))
        return made[-1]

    yield make
    for face in made:
        face.close()


@pytest.fixture
def face(make_face: MakeFace) -> Face:
    """A face on the usual terms, in the pause before the second bar."""
    made = make_face(FaceTerms())
    made.go_to(pause_before(1))
    return made
