"""Several processes at once, and the machine around them."""

from tests.docs.faults.catalogue import FaultSection

DEPLOYMENT = FaultSection("Several processes and deployment", ())
