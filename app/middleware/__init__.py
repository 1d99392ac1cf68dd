"""The checks for every request: its client, its origin, and its body."""
