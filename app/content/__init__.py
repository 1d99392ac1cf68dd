"""What the page says: messages, lessons, help, and the project's own source."""
