"""Ctrl-C while the server imports its modules, for the entry, which imports only the page."""

from nayer.common.interrupts import SilentInterrupts

__all__ = ["SilentInterrupts"]
