"""The loops of a worker: claiming and sending, and deciding about what is overdue."""
