"""The page: Gradio for layout, controls and commands; one live stage that polls two plain routes. No torch here."""

import os

# torch reads this once, at its first import. Runs and server share the cores. Threads that spin for long made a step of
# the generator twenty times slower beside other work (1.10 s against 0.05 s for digits). Threads that never spin make a
# round a third slower without other work. So threads spin for some microseconds.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# Gradio reads these once, when it is first imported, so they are set before any module of this package does that.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")  # otherwise it sends a summary after each event
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "200")
