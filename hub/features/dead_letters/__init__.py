"""What people do about commands that ended without success."""
