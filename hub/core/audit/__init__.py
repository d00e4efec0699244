"""The trace of who did what."""
