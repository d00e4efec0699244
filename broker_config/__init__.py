"""The broker's configuration as ops read, change and own it, and the small program that fills it in."""
