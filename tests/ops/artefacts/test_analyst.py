"""A session in one text, for whoever is asked to judge it from outside."""

from collections.abc import Mapping

from hydra.ops.artefacts.analyst import LINES_MAX, Dossier, dossier_text, prompt
from hydra.store.redaction import Redactor

NOBODY = Redactor(())
ORDER = {
    "decided_at": "2026-01-05T14:41:15.000000000Z",
    "decided_at_ns": "1767624075000000000",
    "client_order_id": "hy1-1",
    "bot": "mom_AAPL",
    "symbol": "AAPL",
    "role": "entry",
    "limit_price": "",
    "status": "filled",
    "status_reason": "",
}


def order(**changes: str) -> Mapping[str, str]:
    return {**ORDER, **changes}


def dossier(**changes: object) -> Dossier:
    whole: dict[str, object] = {
        "page": "# A session\n\n![equity](equity.svg)\n\nof PA-1234567 with key SECRET-KEY",
        "settings": {"settings.yaml": "system:\n  timezone: UTC\n"},
        "trades": (),
        "orders": (),
        "said": (),
    }
    return Dossier(**{**whole, **changes})  # type: ignore[arg-type]  # of the fields' types


def part(text: str, title: str) -> list[str]:
    """The lines of one part."""
    _, _, rest = text.partition(f"===== {title} =====\n")
    return [line for line in rest.partition("=====")[0].splitlines() if line]


def test_it_begins_with_what_is_asked_and_has_the_report_and_the_settings() -> None:
    text = dossier_text(dossier(), NOBODY)

    assert text.startswith(prompt())
    assert part(text, "The report")[0] == "# A session"
    assert "equity.svg" not in text  # nobody could open it
    assert part(text, "Settings in force: settings.yaml") == ["system:", "  timezone: UTC"]


def test_neither_account_nor_keys_are_in_it_i83() -> None:
    said = ["logged in as PA-1234567", '{"key": "SECRET-KEY"}']

    text = dossier_text(dossier(said=said), Redactor(("PA-1234567", "SECRET-KEY")))

    assert "1234567" not in text
    assert "SECRET" not in text
    assert part(text, "What was said while it ran")[0] == "logged in as [redacted]"


def test_tables_have_what_an_outsider_can_read() -> None:
    text = dossier_text(dossier(orders=[order()]), NOBODY)

    assert part(text, "Orders, and the first refused intent of each kind") == [
        "decided_at | bot | symbol | role | status",
        "2026-01-05T14:41:15Z | mom_AAPL | AAPL | entry | filled",
    ]
    assert part(text, "Closed trades") == ["none"]


def test_what_was_refused_again_and_again_is_there_once() -> None:
    reasons = ["budget: 5 left", "budget: 4 left", "pace: too soon", "budget: 3 left"]
    refused = [order(status="denied", status_reason=reason) for reason in reasons]
    other = order(status="denied", status_reason="budget: 1 left", bot="mom_QQQ")

    text = dossier_text(dossier(orders=[*refused, other, order(), order()]), NOBODY)

    rows = part(text, "Orders, and the first refused intent of each kind")[1:]
    assert [row.split(" | ")[-1] for row in rows] == [
        "budget: 5 left", "pace: too soon", "budget: 1 left", "", "",
    ]  # fmt: skip


def test_of_very_much_the_newest_is_there_and_what_is_left_out_is_counted() -> None:
    many = [order(symbol=f"S{number}") for number in range(LINES_MAX + 7)]
    said = [f"line {number}" for number in range(LINES_MAX + 7)]

    text = dossier_text(dossier(orders=many, said=["... 13:33 UTC, ACTIVE", *said]), NOBODY)

    rows = part(text, "Orders, and the first refused intent of each kind")
    assert rows[0].startswith("decided_at | ")
    assert rows[1] == "(7 earlier lines are left out)"
    assert [" S7 " in rows[2], len(rows)] == [True, LINES_MAX + 2]
    lines = part(text, "What was said while it ran")
    assert (lines[0], lines[1], lines[-1]) == (
        "(7 earlier lines are left out)", "line 7", f"line {LINES_MAX + 6}",
    )  # fmt: skip
