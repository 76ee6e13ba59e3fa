"""A bot of another distribution, played in generated scenarios before it may trade (SCOPE K9)."""
