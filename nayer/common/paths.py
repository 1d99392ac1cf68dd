"""The folder of the files that ship with the package."""

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"  # teachers, embeddings, test splits, a recorded run
