# Mosquitto, in the version with which `make test` checks the rules of broker_config/.
FROM debian:12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends 'mosquitto=2.0.11-*' \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/lib/*-linux-gnu/mosquitto_dynamic_security.so /usr/lib/ \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/floorhub-broker
# The same user as the hub, which writes the broker's files.
USER 10001:10001
EXPOSE 1883 9001
CMD ["mosquitto", "-c", "/var/lib/floorhub-broker/mosquitto.conf"]
