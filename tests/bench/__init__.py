"""`make bench`: how fast the hub is, as ratios to floors that are measured in the same run. Never part of a test."""
