"""Where this checkout lies."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout's root, with `hub`, `docs` and `pyproject.toml`."""
