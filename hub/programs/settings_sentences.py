"""What is wrong with the hub's settings, for people: a sentence for each, in English and Korean, without a secret.

All programs that read these settings say it with these sentences.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from hub.config import Settings, WrongValueError
from hub.errors import SetupError
from schemas.text import printable

_LONGEST = 80
_WHAT_TO_SET: Mapping[str, tuple[str, str]] = {
    "database_url": (
        "set it to postgresql://user:password@host:port/database",
        "postgresql://사용자:암호@호스트:포트/데이터베이스 형식으로 설정하십시오",
    ),
    "socket": (
        "set it to the path that the hub has as FLOORHUB_SOCKET",
        "허브의 FLOORHUB_SOCKET과 같은 경로로 설정하십시오",
    ),
    "tls_certificate": ("set it to the PEM file of the certificate", "인증서의 PEM 파일을 지정하십시오"),
    "tls_key": ("set it to the PEM file of the certificate's key", "인증서 키의 PEM 파일을 지정하십시오"),
    "data_dir": ("set it to the hub's data folder", "허브의 데이터 폴더를 지정하십시오"),
}
_SECRET = ("database_url", "mqtt_password", "mqtt_admin_password")
_ADDRESSES = ("public_url", "public_mqtt_url")


def missing(name: str) -> SetupError:
    """A setting that is required is not set."""
    english, korean = _WHAT_TO_SET[name]
    variable = variable_of(name)
    return SetupError(f"{variable} is not set: {english}.", ko=f"{variable}이(가) 설정되지 않았습니다. {korean}.")


def wrong(variable: str, value: object, english: str, korean: str) -> SetupError:
    """A value that cannot be used, and what to write instead; `value` is shown."""
    shown = printable(str(value), _LONGEST)
    return SetupError(f"{variable} is {shown!r}: {english}.", ko=f"{variable}이(가) {shown!r}입니다. {korean}.")


def wrong_port(variable: str, value: str) -> SetupError:
    """A port that is none."""
    return wrong(variable, value, *_number(Settings.model_fields["port"], whole=True))


def of_validation(problem: ValidationError, fields: Mapping[str, FieldInfo] = Settings.model_fields) -> SetupError:
    """One line for each setting that is wrong. `fields`: those of the program whose settings they are."""
    # The first part names the setting; the others are places in a list that nobody has written as one.
    lines = {str(item["loc"][0]): _of_item(str(item["loc"][0]), item, fields) for item in problem.errors()}
    return SetupError(
        "\n".join(line.sentence for line in lines.values()), ko="\n".join(line.korean for line in lines.values())
    )


def variable_of(name: str) -> str:
    """A setting as it is written in the environment."""
    return f"FLOORHUB_{name.upper()}"


def _of_item(name: str, item: Mapping[str, Any], fields: Mapping[str, FieldInfo]) -> SetupError:
    kind, context = item["type"], item.get("ctx") or {}
    if kind == "missing":
        return missing(name)
    english, korean = _remedy(fields[name], kind, context, item["msg"])
    # Somebody may have put a password into an address.
    value = "***" if name in _SECRET or (name in _ADDRESSES and "@" in str(item["input"])) else item["input"]
    return wrong(variable_of(name), value, english, korean)


def _remedy(field: FieldInfo, kind: str, context: Mapping[str, Any], said: str) -> tuple[str, str]:
    problem = context.get("error")
    if isinstance(problem, WrongValueError):
        return str(problem), problem.korean
    if kind.startswith("bool_"):
        return "use true or false", "true 또는 false를 쓰십시오"
    if kind == "literal_error":
        return f"use {context['expected']}", f"{str(context['expected']).replace(' or ', ', ')} 중 하나를 쓰십시오"
    if kind.startswith(("int_", "float_", "greater_", "less_", "finite_")):
        return _number(field, whole=field.annotation is int)
    return said[:1].lower() + said[1:], f"{said}. docs/reference/settings.md를 확인하십시오"


def _number(field: FieldInfo, *, whole: bool) -> tuple[str, str]:
    """What numbers a setting takes, by the limits that its field has."""
    limits: dict[str, Any] = {}
    for rule in field.metadata:
        limits |= {word: getattr(rule, word) for word in ("ge", "gt", "le") if getattr(rule, word, None) is not None}
    english, korean = ("a whole number", "정수를") if whole else ("a number", "수를")
    least, above, most = (limits.get(word) for word in ("ge", "gt", "le"))
    if least is not None and most is not None:
        return f"use {english} from {least:g} to {most:g}", f"{least:g}부터 {most:g}까지의 {korean} 쓰십시오"
    if above is not None and most is not None:
        return (
            f"use {english} greater than {above:g}, at most {most:g}",
            f"{above:g}보다 크고 {most:g} 이하인 {korean} 쓰십시오",
        )
    if least is not None:
        return f"use {english}, at least {least:g}", f"{least:g} 이상의 {korean} 쓰십시오"
    return f"use {english}", f"{korean} 쓰십시오"
