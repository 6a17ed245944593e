"""The product's story, told with real commands on a real control plane.

Scenery, narration and the oracle that watches belong here. Nothing that ships does.
"""
