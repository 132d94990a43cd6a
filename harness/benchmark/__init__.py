"""`harness bench`: the speed of shapes.

A grid of loads, each model in a process of its own, measured in turn until the median is known.

`bench_config` runs a config; `SpeedResults` (harness.results.speed) is what it leaves.
"""
