"""Holds a client of any make against the contract: stands between it and the broker, and names each mistake."""
