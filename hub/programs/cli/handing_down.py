"""Settings of the hub that `make run` takes from the environment: from where documents may come, and who may ask how
often."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.config import Settings
from hub.programs.settings_sentences import of_validation, variable_of

FIELDS = (
    *("fetch_allow", "fetch_private", "document_folders"),
    *("hosts", "cors_origins", "limit_programs", "limit_people", "limit_addresses"),
    *("require_timestamp", "quota_time_zone"),
)
_USED = {*FIELDS, "data_dir", "port"}
_FOR_NETWORK = {"tls_certificate", "tls_key", "ca_file", "public_url", "public_mqtt_url", "machine_certificates"}
"""Those that `--listen` uses."""


def handed_down(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Those that are set, for the hub's environment."""
    names = map(variable_of, FIELDS)
    return {name: environment[name] for name in names if environment.get(name, "").strip()}


def check_handed_down(environment: Mapping[str, str] = os.environ, *, network: bool = False) -> None:
    """Raise SetupError for a value that is none; the hub itself judges the hosts."""
    values: dict[str, Any] = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
        if not field.is_required()
    }
    values |= {"database_url": "postgresql:", "data_dir": Path("/")}
    fields = (*FIELDS, *sorted(_FOR_NETWORK)) if network else FIELDS
    given = {name: environment[variable_of(name)] for name in fields if environment.get(variable_of(name), "").strip()}
    values |= given
    try:
        Settings(**values)
    except ValidationError as problem:
        raise of_validation(problem) from None


def ignored(environment: Mapping[str, str] = os.environ, *, network: bool = False) -> list[str]:
    """Settings of a hub that are set and that `make run` does not use: its own services decide them. `network`: it
    serves other machines."""
    used = _USED | _FOR_NETWORK if network else _USED
    names = sorted(variable_of(name) for name in Settings.model_fields if name not in used)
    return [name for name in names if environment.get(name, "").strip()]
