"""What carries out actions. A driver knows one kind of device or program, and nothing of MQTT, journal or hub."""
