"""The contract between people, operator and engine: kinds, gate record, engine report, reasons.

What two processes must agree on belongs here. Anything that reads a clock, a file or a network does not.
"""

GROUP = "golive.dev"
"""API group of every kind."""

VERSION = "v1alpha1"
"""The one served version."""

API_VERSION = f"{GROUP}/{VERSION}"
"""What manifests carry as apiVersion."""
