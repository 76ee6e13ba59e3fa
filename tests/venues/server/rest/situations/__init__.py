"""For each example of a REST answer: how the venue comes into its situation, and what is asked.

A situation has the name of the example, plays on a stage of its own, and gives what the venue
answered.
"""
