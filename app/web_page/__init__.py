"""A run as one HTML file that plays without a server: the page's own scripts, put into one."""
