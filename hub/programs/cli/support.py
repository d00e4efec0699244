"""`floorhub support-bundle`: what helps others to help, without a secret in it."""

from pathlib import Path
from typing import Annotated

import typer

from hub.programs.cli import output
from hub.programs.cli.local import DatabaseUrl, DataDir
from hub.programs.cli.output import Json, explained


def support_bundle(
    file: Annotated[Path, typer.Argument(help="The new file, for example bundle.tar.gz.")],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Collect redacted logs and settings in one file.

    Holds no secret, no document and no payload. Works whether the hub runs or not.
    """
    from hub.programs import installation
    from hub.programs.support.bundle import make

    with explained(as_json=as_json):
        parts = make(installation.find(database_url, data_dir), file)
    if as_json:
        output.print_json({"file": str(file), "parts": parts})
    elif output.korean():
        output.say(*parts, f"{file}에 썼습니다. 비밀 값과 문서, 페이로드는 뺐습니다. 보내기 전에 한 번 살펴보십시오.")
    else:
        output.say(*parts, f"Written to {file}: no secrets, documents or payloads. Look through it before you send it.")
