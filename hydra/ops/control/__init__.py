"""What an operator does to an engine: halt, resume, flatten, reconcile; and how it is."""
