"""Measures and maps of arrays, in numpy alone: diversity, similarity, projections, significance."""
