"""The documents against the code: their commands, their tables."""
