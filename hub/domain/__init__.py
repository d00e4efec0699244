"""Policy without I/O: what may happen to a command, decided from values and a clock that is passed in."""
