"""Tools of the process: log, metrics, memory, paths, and how images are encoded."""
