"""Archiving and deleting what was kept long enough."""
