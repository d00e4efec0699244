"""What carries commands out on this machine."""
