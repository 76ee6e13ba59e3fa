from typing import Any

import pytest

from tests.venues.server.rest.shapes import differences

ORDER = {
    "id": "c2c6748d-88c5-4055-bfcc-ee1196dafb7b",
    "created_at": "2026-11-23T14:31:07.418266031Z",
    "filled_at": None,
    "qty": "12",
    "status": "new",
    "legs": [{"ratio_qty": "1"}],
}


def test_other_values_of_the_same_kind_are_the_same_shape() -> None:
    other = {
        **ORDER,
        "id": "8370f346-41df-455f-8ce3-0064735a24d8",
        "created_at": "2026-11-24T14:31:07Z",
        "qty": "0.5",
        "legs": [{"ratio_qty": "2"}, {"ratio_qty": "3"}],
    }

    assert list(differences(ORDER, other)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "12"},
        {"created_at": "2026-11-23T09:31:07-05:00"},
        {"filled_at": "2026-11-23T14:31:07Z"},
        {"qty": 12},
        {"qty": "1e-5"},
        {"status": "filled"},
        {"legs": None},
        {"legs": []},
        {"legs": [{"ratio_qty": 1}]},
        {"colour": "red"},
    ],
)
def test_every_difference_of_shape_is_seen(change: dict[str, Any]) -> None:
    assert len(list(differences(ORDER, {**ORDER, **change}))) == 1
    assert len(list(differences({**ORDER, **change}, ORDER))) == 1


def test_a_sentence_is_the_same_with_other_numbers_and_names_in_it() -> None:
    wanted = {"code": 1, "message": 'asset "ZZZZZ" costs 41.27 in HYDR261218C00042500'}

    assert not list(
        differences(wanted, {"code": 1, "message": 'asset "A" costs 3 in A261218C00042000'})
    )
    assert list(differences(wanted, {"code": 2, "message": wanted["message"]}))
    assert list(differences(wanted, {"code": 1, "message": 'asset "ZZZZZ" is fine'}))
