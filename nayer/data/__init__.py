"""The only labeled images: readers, the shipped test sets, the emoji data sets, images of your own."""
