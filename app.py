"""Serves the page: `python app.py [--port N]`. Holds no importable code, for the package beside it has its name."""

from app.start import start

if __name__ == "__main__":
    start()
