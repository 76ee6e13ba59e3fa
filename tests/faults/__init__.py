"""A disk that records what it was asked to do, fails on demand, and loses power at any moment."""
