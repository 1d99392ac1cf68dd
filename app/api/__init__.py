"""The routes and commands for a page or a program."""
