"""Waking who waits for something, in this process and in others."""
