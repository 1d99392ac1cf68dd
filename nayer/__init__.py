"""Data-free distillation as a generator of events: NAYER's noisy layer on label-text embeddings.

Start at `distillation.train.train`, the algorithm on one page; `runs.run.open_run` builds a run from a `Config`.
"""
