"""From a config to something that runs: a run, its session, its checkpoints, arms side by side."""
