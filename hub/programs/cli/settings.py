"""Sentences about settings that are taken as they are, and may not be what was meant."""

from hub.config import Settings, two_data_folders, unknown
from hub.programs.cli.output import korean


def doubts() -> dict[str, str]:
    """About the environment, by the name of the setting."""
    return {name: _unknown(name, nearest) for name, nearest in unknown().items()} | (
        {"FLOORHUB_DATA": _two_folders()} if two_data_folders() else {}
    )


def doubts_of(settings: Settings) -> dict[str, str]:
    """About values of the hub's settings."""
    if not settings.exposed:
        return {}
    if korean():
        sentence = (
            f"HTTP가 TLS 없이 {settings.host}에서 열립니다. 같은 네트워크에서 키, 암호, 문서를 읽을 수 있습니다. "
            "TLS 프록시를 앞에 두고 그 프록시만 접근하게 하거나 127.0.0.1을 쓰십시오."
        )
    else:
        sentence = (
            f"HTTP listens on {settings.host} without TLS: on the network, keys, secrets and documents can be read. "
            "Put a "
            "TLS proxy in front and let only that reach the port, or listen on 127.0.0.1."
        )
    return {"FLOORHUB_HOST": sentence}


def _unknown(name: str, nearest: str | None) -> str:
    if korean():
        asked = f" {nearest}을(를) 쓰려고 하셨습니까?" if nearest else ""
        return f"{name}은(는) Floorhub의 설정이 아니므로 무시합니다.{asked}"
    asked = f" Did you mean {nearest}?" if nearest else " docs/reference/settings.md has all settings."
    return f"{name} is no setting of Floorhub, and is ignored.{asked}"


def _two_folders() -> str:
    if korean():
        return (
            "FLOORHUB_DATA는 FLOORHUB_DATA_DIR의 이전 이름인데 서로 다른 폴더를 가리킵니다. FLOORHUB_DATA_DIR을 "
            "씁니다. FLOORHUB_DATA를 없애십시오."
        )
    return (
        "FLOORHUB_DATA is the old name of FLOORHUB_DATA_DIR, and they name different folders: FLOORHUB_DATA_DIR "
        "counts. Unset FLOORHUB_DATA."
    )
