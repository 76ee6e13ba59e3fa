"""The reason that goes on record with whoever gives a command, told apart from none at once."""

from typing import Annotated

import typer

REASON_CHARACTERS = range(3, 501)


def reason_given(text: str) -> str:
    """The reason, if it is one; else the command ends as at any wrong option, and does nothing."""
    if len(text) not in REASON_CHARACTERS or not text.strip():
        wanted = f"{REASON_CHARACTERS[0]} to {REASON_CHARACTERS[-1]} characters"
        raise typer.BadParameter(
            f"found {text!r}, wanted a reason of {wanted}", param_hint="'--reason'"
        )
    return text


def reason_cut(text: str) -> str:
    """The beginning of a long one: whoever wants to stop is not asked for fewer words."""
    return text[: REASON_CHARACTERS[-1]]


Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        callback=reason_given,
        help="Why: it goes on record with your name.",
        metavar="TEXT",
    ),
]
ReasonIfAny = Annotated[
    str,
    typer.Option(
        "--reason",
        callback=reason_cut,
        help="Why: it goes on record with your name. It halts without one as well.",
        metavar="TEXT",
    ),
]
