"""Fields added, changed and left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.server.faults.alterations import Alteration

ORDER: dict[str, Any] = {"id": "a", "status": "new", "legs": [{"id": "b", "status": "held"}]}


@pytest.mark.parametrize(
    ("alteration", "altered"),
    [
        (Alteration(), ORDER),
        (Alteration(set={"status": "odd"}), {**ORDER, "status": "odd"}),
        (Alteration(set={"added": {"x": 1}}), {**ORDER, "added": {"x": 1}}),
        (Alteration(set={"legs.status": "odd"}), {**ORDER, "legs": [{"id": "b", "status": "odd"}]}),
        (Alteration(set={"nowhere.status": "odd", "id.status": 1}), ORDER),
        (Alteration(remove=("status", "legs.id")), {"id": "a", "legs": [{"status": "held"}]}),
        (Alteration(remove=("nowhere", "nowhere.id")), ORDER),
    ],
)
def test_fields_are_found_by_the_way_to_them(
    alteration: Alteration, altered: dict[str, Any]
) -> None:
    assert alteration.of(ORDER) == altered
    assert alteration.of([ORDER, 1]) == [altered, 1]


@given(
    body=st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=12,
    ),
    path=st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join),
)
def test_anything_can_be_altered_and_what_was_given_stays_as_it_was(body: Any, path: str) -> None:
    before = repr(body)

    altered = Alteration(set={path: "new"}).of(body)

    assert repr(body) == before
    assert Alteration(set={path: "new"}).of(altered) == altered
    assert Alteration(remove=(path,)).of(altered) == Alteration(remove=(path,)).of(body)
