"""The algorithm: re-draw, synthesis, pool, student; and the reports of a round."""
