"""Helpers of the tests: small teachers, scripted runs, servers, hostile input."""
