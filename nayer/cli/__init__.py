"""The command line: `python -m nayer`, one module for each command."""
