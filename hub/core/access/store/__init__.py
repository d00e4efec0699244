"""What access reads and writes."""
