"""The query of a request to the trading plane."""

from starlette.requests import Request

from hydra.venues.simulated.brokerage.refusals import malformed
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.parameters import Parameters


def parameters_of(request: Request) -> Parameters:
    """What is asked for; what cannot be read is refused as malformed."""
    return Parameters(request.query_params, lambda message: Refused(malformed(message)))
