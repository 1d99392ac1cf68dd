"""Arms × seeds compared, benchmarks, and the conclusion."""
