"""The read model: it folds events into a view, and serializes the view for a page."""
