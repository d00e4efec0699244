"""Settings of the edge, read once from the environment. Those that the hub has, too, mean the same there."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.config import Settings, WrongValueError

MQTT_PORT = 1883


class EdgeSettings(BaseSettings):
    """What an operator may set; every field is `FLOORHUB_<NAME>` in the environment. See docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix="FLOORHUB_", frozen=True, extra="ignore", hide_input_in_errors=True)

    tls_certificate: Path
    """A PEM file: the certificate, then those between it and the authority."""
    tls_key: Path
    """A PEM file with the certificate's key."""
    tls_host: str = "0.0.0.0"  # noqa: S104 - other machines are to reach it
    tls_port: Annotated[int, Field(ge=0, le=65535)] = 8443
    socket: Path
    """The Unix socket of the hub."""
    mqtt_url: str = f"mqtt://127.0.0.1:{MQTT_PORT}"
    """The broker's listener without TLS, which only this machine or a private network reaches."""
    hosts: Annotated[tuple[str, ...], NoDecode] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    stop_grace_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    edge_status_port: Annotated[int, Field(ge=0, le=65535)] = 8444
    """Health, readiness and metrics of the edge itself, on loopback; 0: not served."""
    edge_connections: Annotated[int, Field(ge=10, le=1_000_000)] = 10_000
    edge_connections_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 2_500
    edge_half_open_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """Connections that have not yet sent a request, or a valid MQTT CONNECT."""

    @field_validator("hosts", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return Settings.split_list(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return Settings.are_networks(value)

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return Settings.are_hosts(value)

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return Settings.are_origins(value)

    @field_validator("tls_certificate", "tls_key", "socket", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():  # it would be the current folder
            raise WrongValueError("give the path of a file", "파일의 경로를 지정하십시오")
        return value

    @field_validator("mqtt_url")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        broker_of(value)
        return value

    @property
    def broker(self) -> tuple[str, int]:
        """Host and port of the broker."""
        return broker_of(self.mqtt_url)


def broker_of(url: str) -> tuple[str, int]:
    """Host and port of a broker's URL, which has no TLS and no account. Raises WrongValueError."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "mqtt" and parts.hostname and "@" not in parts.netloc and not parts.path.strip("/"):
            return parts.hostname, parts.port or MQTT_PORT
    except ValueError:
        pass
    raise WrongValueError(
        "give the broker's listener without TLS, such as mqtt://127.0.0.1:1883",
        "mqtt://127.0.0.1:1883처럼 TLS가 없는 브로커 주소를 쓰십시오",
    )
