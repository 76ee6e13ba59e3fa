"""The stream of trade updates repeats, loses or garbles."""

from tests.docs.faults.catalogue import FaultSection

TRADE_UPDATES = FaultSection("Trade updates", ())
