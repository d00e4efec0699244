"""`floorhub-agent pair`: this machine becomes a client of a hub."""
