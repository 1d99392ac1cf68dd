"""The exit codes of the command line."""

DONE = 0
FAILED = 1  # a run or a file
USAGE = 2  # the command line is not valid
STOPPED = 128  # plus the number of the signal, as in shells
INTERRUPTED = STOPPED + 2  # Ctrl-C, SIGINT
BROKEN_PIPE = STOPPED + 13  # SIGPIPE: the reader has gone, as in `… | head`
