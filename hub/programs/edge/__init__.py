"""What stands between the network and the hub: it ends TLS, checks `/mqtt`, and passes all else to the API."""
