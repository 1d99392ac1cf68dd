"""Files that are written from the code: the reference and the constants of the page's scripts."""
