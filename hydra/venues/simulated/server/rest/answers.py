"""Answers in JSON."""

import orjson
from starlette.responses import Response


def json_answer(body: object, status: int = 200) -> Response:
    """The body as JSON."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def empty_answer(status: int) -> Response:
    """No body at all: what was asked is taken, and there is nothing to say about it yet."""
    return Response(status_code=status)
