"""Which clients are there, and whether they are who they say."""
