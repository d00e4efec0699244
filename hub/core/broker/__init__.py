"""What goes to the broker and what comes from it."""
