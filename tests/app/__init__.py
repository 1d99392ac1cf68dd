"""Laws of the page's server, room by room."""
