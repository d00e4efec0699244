"""The options of `floorhub print` that say how a document is printed: each is a field of the payload."""

from enum import StrEnum
from typing import Annotated, Any

import typer


class Color(StrEnum):
    """As IPP calls them."""

    COLOR = "color"
    MONOCHROME = "monochrome"
    AUTO = "auto"


class Orientation(StrEnum):
    """How the page stands."""

    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"
    REVERSE_PORTRAIT = "reverse-portrait"
    REVERSE_LANDSCAPE = "reverse-landscape"


class Quality(StrEnum):
    """As IPP calls them."""

    DRAFT = "draft"
    NORMAL = "normal"
    HIGH = "high"


Pages = Annotated[
    str | None, typer.Option("--pages", metavar="RANGES", help="Which pages, such as 1-3,5,8-; default: all.")
]
Collate = Annotated[
    bool | None, typer.Option("--collate/--no-collate", help="Several copies: each complete, or page by page.")
]
Media = Annotated[
    str | None, typer.Option("--media", metavar="SIZE", help="a4, letter, or a name such as iso_a4_210x297mm.")
]
Tray = Annotated[str | None, typer.Option("--tray", help="The tray, as the printer calls it: tray-1, manual, ...")]
ColorMode = Annotated[Color | None, typer.Option("--color", help="Default: the printer's setting.")]
Turned = Annotated[Orientation | None, typer.Option("--orientation", help="Default: the printer's setting.")]
Fit = Annotated[bool | None, typer.Option("--fit/--no-fit", help="Scale to the paper, or keep the size.")]
NumberUp = Annotated[int | None, typer.Option("--n-up", min=1, max=100, help="Pages on each side, such as 2 or 4.")]
PrintQuality = Annotated[Quality | None, typer.Option("--quality", help="Default: the printer's setting.")]


def payload(
    *,
    pages: str | None,
    collate: bool | None,
    media: str | None,
    tray: str | None,
    color: Color | None,
    orientation: Orientation | None,
    fit: bool | None,
    n_up: int | None,
    quality: Quality | None,
) -> dict[str, Any]:
    """The fields of what was asked for."""
    asked = {
        "pages": pages,
        "collate": collate,
        "media": media,
        "media_source": tray,
        "color": color and color.value,
        "orientation": orientation and orientation.value,
        "fit_to_page": fit,
        "number_up": n_up,
        "quality": quality and quality.value,
    }
    return {field: value for field, value in asked.items() if value is not None}
