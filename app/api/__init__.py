"""Routes and commands: what a page or a program may ask."""
