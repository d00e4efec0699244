"""Clients that speak HTTP in place of MQTT."""
