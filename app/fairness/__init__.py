"""Turns, quotas and caches by address, so that one visitor cannot use up the shared resources."""
