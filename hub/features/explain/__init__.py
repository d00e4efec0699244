"""What keeps a command, and its timeline."""
