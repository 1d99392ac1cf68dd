"""Class names to label-text embeddings: shipped tables, a text encoder, and the controls."""
