"""The read model: events folded into what is shown, and how that travels to a page."""
