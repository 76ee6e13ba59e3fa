"""`hydra-trader why`: what led to an order, to a denial or to nothing, told from the record."""
