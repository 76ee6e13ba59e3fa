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


Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        callback=reason_given,
        help="Why: it goes on record with your name.",
        metavar="TEXT",
    ),
]
