"""How fast the engine is, against the ways one would otherwise run the same model.

`python -m benchmarks.check_peers` proves that all peers compute the same numbers as PySD;
`python -m benchmarks.speed` times them side by side and writes the table of docs/performance.md.
"""
