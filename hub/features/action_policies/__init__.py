"""Administration of what counts for all commands of an action."""
