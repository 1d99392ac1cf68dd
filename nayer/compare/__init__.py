"""Arms × seeds held side by side, benchmarks, and what may be concluded."""
