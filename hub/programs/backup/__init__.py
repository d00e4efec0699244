"""Backup and restore of a hub: database, keys and settings in one private file."""
