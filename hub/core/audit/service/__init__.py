"""Sealing, verification, erasure and clean-up of the trail."""
