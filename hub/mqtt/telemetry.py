"""What the MQTT client tells the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    MQTT_CONNECTED = "mqtt.connected"
    MQTT_LOST = "mqtt.lost"
    MQTT_TAKEN_OVER = "mqtt.taken_over"
    MQTT_REFUSED = "mqtt.refused"
    MQTT_OVERFLOW = "mqtt.overflow"
