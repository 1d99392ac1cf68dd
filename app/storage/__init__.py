"""The history on disk: SQLite, its write queue, its migrations, its recovery."""
