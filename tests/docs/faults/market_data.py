"""Prices are missing, late or wrong."""

from tests.docs.faults.catalogue import FaultSection

MARKET_DATA = FaultSection("Market data", ())
