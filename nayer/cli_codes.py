"""The exit codes of the command line."""

DONE = 0
FAILED = 1  # a run or a file
USAGE = 2  # the command cannot be meant so
INTERRUPTED = 130  # Ctrl-C, as shells count it: 128 + SIGINT
