"""How the venue's two planes say no over HTTP: trading with a code, market data without one."""

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hydra.venues.simulated.brokerage.refusals import Refusal
from hydra.venues.simulated.server.rest.answers import json_answer

_TRADING_CODES = {404: 40410000, 405: 40510000, 413: 41310000}
_MESSAGES = {
    404: "endpoint not found",
    405: "method not allowed",
    413: "request body is too large",
}
INTERNAL = 50010000


class Refused(Exception):
    """The trading plane does not do what was asked."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class DataRefused(Exception):
    """The market data plane does not answer the query; it has no codes."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def is_data_path(path: str) -> bool:
    """Whether the path is of the market data plane, by its version: all else is trading."""
    return path.startswith(("/v2/stocks", "/v1beta1/", "/v1beta3/", "/v1/"))


def refusal_body(refusal: Refusal) -> dict[str, object]:
    """A refusal as the broker writes it."""
    return {"code": refusal.code, "message": refusal.message, **refusal.details}


def refusal_answer(refusal: Refusal) -> Response:
    """The answer to what is refused."""
    return json_answer(refusal_body(refusal), refusal.status)


def on_refused(_request: Request, error: Exception) -> Response:
    """For Starlette: what a handler of the trading plane refused."""
    assert isinstance(error, Refused)
    return refusal_answer(error.refusal)


def on_data_refused(_request: Request, error: Exception) -> Response:
    """For Starlette: what a handler of the data plane refused."""
    assert isinstance(error, DataRefused)
    return json_answer({"message": error.message}, error.status)


def on_http_error(request: Request, error: Exception) -> Response:
    """For Starlette: an unknown path, a wrong verb, too large a body."""
    assert isinstance(error, HTTPException)
    message = _MESSAGES.get(error.status_code, error.detail)
    body: dict[str, object] = {"message": message}
    if not is_data_path(request.url.path):
        body = {"code": _TRADING_CODES.get(error.status_code, error.status_code * 100_000), **body}
    return Response(
        orjson.dumps(body), error.status_code, error.headers, media_type="application/json"
    )


def on_client_gone(_request: Request, _error: Exception) -> Response:
    """For Starlette: nobody will read this, and nothing was done."""
    return Response(status_code=400)


def on_crash(_request: Request, _error: Exception) -> Response:
    """For Starlette, which raises the error again afterwards: it is a bug, and must be seen."""
    return json_answer({"code": INTERNAL, "message": "internal server error"}, 500)
