"""What delivery needs. Knows nothing of `hub.features`."""
