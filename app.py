"""Serves the page: `python app.py [--port N]`. Holds no importable code, for the package beside it has its name."""

from app.support.interrupts import SilentInterrupts

with SilentInterrupts():
    from app.support.process import prepare

    prepare()
    from app.server import main

if __name__ == "__main__":
    main()
