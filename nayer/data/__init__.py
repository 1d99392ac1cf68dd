"""The only labeled images: readers, the shipped test sets, the emoji data sets, and a user's own images."""
