"""The explorer of class names: tables of embeddings and their maps."""
