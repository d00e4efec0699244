"""A batch again and again, by a cron expression."""
