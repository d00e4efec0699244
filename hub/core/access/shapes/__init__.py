"""The bodies of what administers access."""
