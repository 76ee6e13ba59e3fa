"""What people are told of a difference, and what they may do about it."""

from decimal import Decimal

import pytest

from hydra.trading.differences import Difference, DifferenceKind, advice, describe, remedies


def test_each_kind_of_difference_has_its_remedies_i29_i60() -> None:
    assert {kind: remedies(kind) for kind in DifferenceKind} == {
        DifferenceKind.ACCOUNT_MISMATCH: (),
        DifferenceKind.ACCOUNT_BLOCKED: (),
        DifferenceKind.FOREIGN_ORDER: ("adopt", "exclude"),
        DifferenceKind.UNRECORDED_ORDER: ("adopt", "exclude"),
        DifferenceKind.MISSING_ORDER: ("adopt",),
        DifferenceKind.ORDER_CONTENT: ("exclude",),
        DifferenceKind.IMPOSSIBLE_ORDER: ("exclude",),
        DifferenceKind.FILL_NOT_AT_VENUE: ("exclude",),
        DifferenceKind.FILLS_INCOMPLETE: ("exclude",),
        DifferenceKind.POSITION: ("assign", "exclude"),
        DifferenceKind.CASH: ("adjust",),
    }


@pytest.mark.parametrize("kind", DifferenceKind)
def test_each_kind_of_difference_has_one_line_of_advice_i60(kind: DifferenceKind) -> None:
    assert 20 < len(advice(kind)) <= 100
    assert advice(kind).isprintable()


@pytest.mark.parametrize("kind", [k for k in DifferenceKind if len(remedies(k)) == 1])
def test_advice_speaks_of_the_only_remedy_i60(kind: DifferenceKind) -> None:
    (remedy,) = remedies(kind)

    assert f"{remedy} " in advice(kind)


@pytest.mark.parametrize(
    ("kind", "subject", "amount", "line"),
    [
        ("POSITION", "AAPL", "-2.50", "position AAPL: found 1, wanted 2{-2.50}"),
        ("POSITION", "BTCUSD", "1E-9", "position BTCUSD: found 1, wanted 2{0.000000001}"),
        ("CASH", "cash", "0.01", "cash: found 1, wanted 2{0.01}"),
        ("ACCOUNT_BLOCKED", "account", None, "account blocked: found 1, wanted 2"),
        ("FOREIGN_ORDER", "", None, "foreign order '': found 1, wanted 2"),
        ("FOREIGN_ORDER", "a\nb", None, "foreign order 'a\\nb': found 1, wanted 2"),
    ],
)
def test_a_difference_is_described_in_one_line_i60(
    kind: str, subject: str, amount: str | None, line: str
) -> None:
    line = line.replace("{", " (the venue's less ours: ").replace("}", ")")
    difference = Difference(
        kind=DifferenceKind[kind],
        subject=subject,
        found="1",
        wanted="2",
        amount=None if amount is None else Decimal(amount),
    )

    assert describe(difference) == line
