"""The folder of the files that ship with the package."""

from pathlib import Path


def assets_of(package: Path) -> Path:
    """`assets` in an installed package, and beside the package in a checkout."""
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


ASSETS = assets_of(Path(__file__).resolve().parents[1])  # teachers, judges, embeddings, test splits
