"""The operator's shell: reads what decisions need, carries out what they plan, leads alone.

Everything that touches the API server, the engines' endpoints, time or the log belongs here.
What the gate should be does not.
"""
