"""The texts of the page: messages, lessons, help, and the project's own source."""
