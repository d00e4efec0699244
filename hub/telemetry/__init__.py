"""What the hub says of itself: log and metrics."""
