"""The kubectl plugin: shows a GoLive, adds an approval, closes the gate.

What a person types and reads belongs here, with the light access to the API server that it needs.
Deciding whether a gate may open does not, and nothing here may wait for an operator.
"""
