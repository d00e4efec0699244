"""MQTT at the hub's side: the connection, what comes in, what goes out, and the broker's users. No SQL here."""
