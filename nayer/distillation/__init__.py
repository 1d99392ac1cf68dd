"""The algorithm: re-draw, synthesis, pool, student; and what a round reports."""
