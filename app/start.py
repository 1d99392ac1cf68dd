"""Starts the server. Its import is fast, so Ctrl-C shows no traceback from the first moment on."""

from nayer.common.interrupts import SilentInterrupts


def start() -> None:
    """Serves as the words after `python app.py` say."""
    with SilentInterrupts():
        from app.server import main
    main()
