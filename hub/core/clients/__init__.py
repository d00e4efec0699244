"""Clients, their groups and their limits."""
