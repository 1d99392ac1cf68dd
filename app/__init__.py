"""The page: Gradio for layout, controls and commands; one live stage that polls two plain routes. No torch here."""

import os

# Gradio reads these once, when it is first imported, so they are set before any module of this package does that.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")  # else a summary of past events after each one
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "200")
