"""What never reaches the venue, and what breaks on the way."""

from hydra.venues.simulated.server.faults.request_faults import Answer as MadeUp
from hydra.venues.simulated.server.rest.settings import RestTerms
from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.situations.registry import example
from tests.venues.server.rest.stage import LIMIT, Stage

NO_KEYS = {"apca-api-key-id": "", "apca-api-secret-key": ""}


@example
def error_unauthorized_html() -> Answer:
    return Stage().ask("GET", "/v2/account", headers=NO_KEYS)


@example
def error_unauthorized_json() -> Answer:
    return Stage().ask("GET", "/v2/account", headers={"apca-api-secret-key": "another"})


@example
def error_unauthorized_code() -> Answer:
    """The older form: the venue itself gives the newer one."""
    return made_up("GET", "/v2/account", 401, 40110000, "request is not authorized")


@example
def error_forbidden() -> Answer:
    return Stage().ask("GET", "/v2/account", headers={"host": "elsewhere.example"})


@example
def error_internal() -> Answer:
    return made_up("POST", "/v2/orders", 500, 50010000, "internal server error")


@example
def error_timeout_504() -> Answer:
    return made_up("POST", "/v2/orders", 504, 50410000, "request timed out")


@example
def error_rate_limited_trading() -> Answer:
    stage = Stage(rest=RestTerms(trading_per_minute=1))
    stage.ask("GET", "/v2/orders")
    return stage.ask("GET", "/v2/orders")


@example
def error_rate_limited_data() -> Answer:
    stage = Stage(rest=RestTerms(data_per_minute=1))
    stage.ask("GET", "/v2/stocks/bars")
    return stage.ask("GET", "/v2/stocks/bars")


def made_up(method: str, path: str, status: int, code: int, message: str) -> Answer:
    """What only a fault gives."""
    stage = Stage()
    stage.spoil(MadeUp(status=status, body={"code": code, "message": message}))
    return stage.ask(method, path, body=LIMIT if method == "POST" else None)
