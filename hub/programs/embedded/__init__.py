"""Postgres, the broker and a virtual printer as children of one process, for a machine without Docker and without root.

Nothing here knows the hub's rules. The rest of the hub may use `Stack`; this package imports nothing of the rest.
Everything is synchronous and belongs to the main thread, because the kernel's parent-death signal is tied to the
thread that started a child.
"""
