"""Tokens of further pages: opaque to the client, readable to us."""

from base64 import b64decode, b64encode
from binascii import Error


def written(text: str) -> str:
    """The token that says `text`."""
    return b64encode(text.encode()).decode()


def read(token: str) -> str | None:
    """What the token says; None: it is none of ours."""
    try:
        return b64decode(token, validate=True).decode()
    except (Error, ValueError):
        return None
