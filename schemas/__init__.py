"""The wire contract between the hub and its clients: topics, messages, bytes.

Both sides import this package and nothing of each other. It depends on msgspec, PyNaCl (signatures) and the
standard library only, so that an agent on a weak PC starts fast.
"""
