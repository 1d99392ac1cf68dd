"""The life of a run: its plan, its limits, its turn, its owner, its history."""
