"""Many commands by one request."""
