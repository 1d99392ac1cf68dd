"""The exit codes of the command line."""

DONE = 0
FAILED = 1  # a run or a file
USAGE = 2  # the command cannot be meant so
STOPPED = 128  # and the signal's number on top, as shells count it
INTERRUPTED = STOPPED + 2  # Ctrl-C, SIGINT
BROKEN_PIPE = STOPPED + 13  # SIGPIPE: nobody reads any more, as in `… | head`
