"""The hub: HTTP in front, Postgres as the only store and queue, MQTT as a pipe to the clients."""
