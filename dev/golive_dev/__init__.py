"""A Kubernetes control plane on one machine, for the demo, the tests and the benchmarks.

Here belongs what builds, starts, watches over and removes real servers on a developer's machine.
Nothing here is shipped, and nothing that is shipped may know of it.
"""
