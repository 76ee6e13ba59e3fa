"""The broker answers late, wrongly or never."""

from tests.docs.faults.catalogue import FaultSection

BROKER_REQUESTS = FaultSection("Requests to the broker", ())
