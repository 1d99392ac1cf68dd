"""Data-free distillation as a generator of events: NAYER's noisy layer on label-text embeddings.

Start at `training.train`, the algorithm on one page; `experiment.open_run` builds a run from a `Config`.
"""
