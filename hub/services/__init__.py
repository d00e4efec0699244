"""Use cases, one transaction each. They know neither HTTP nor MQTT."""
