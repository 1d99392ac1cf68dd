"""Turns, quotas and caches by address, so that one visitor cannot use up what all share."""
