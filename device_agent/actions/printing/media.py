"""The medium of a job and the tray it comes from, as an IPP printer is told.

Without a tray that is `media`, a name. With a tray it is `media-col`, which has both (PWG 5100.7): a job has one of the
two attributes and never both.
"""

import re

from msgspec import Struct

from device_agent.ipp.message import Attribute, Group, Tag, Value, attribute

ABOUT = ("media-supported", "media-col-supported", "media-source-supported")
"""What to ask a printer for."""
_SHORT = {
    "a3": "iso_a3_297x420mm",
    "a4": "iso_a4_210x297mm",
    "a5": "iso_a5_148x210mm",
    "a6": "iso_a6_105x148mm",
    "letter": "na_letter_8.5x11in",
    "legal": "na_legal_8.5x14in",
}
_SIZE = re.compile(r"_([0-9]{1,6}(?:\.[0-9]{1,6})?)x([0-9]{1,6}(?:\.[0-9]{1,6})?)(mm|in)\Z")
"""The end of a self-describing name (PWG 5101.1 section 5)."""
_HUNDREDTHS = {"mm": 100, "in": 2540}
"""Of a millimetre, in one unit."""
_AUTO = "auto"


class Medium(Struct, frozen=True):
    """What a printer is told of the medium, if anything, and what of it the printer cannot do: a reason by field."""

    told: Attribute | None
    impossible: dict[str, str]


def medium(media: str | None, source: str | None, about: Group) -> Medium:
    """Judge medium and tray by what a printer lists. A medium that it does not list is told all the same: a printer
    that refuses the job for it prints nothing on the wrong one."""
    impossible = {}
    name = _named(media)
    if name is not None:
        listed = _listed(about, "media-supported", name.text)
        if listed is None and not _takes_any_size(about):
            impossible["media"] = f"media: the printer does not list {media}"
        name = listed or name
    tray = None if source is None else _tray(source, about)
    if source is not None and tray is None and source != _AUTO:
        trays = ", ".join(about.texts("media-source-supported")[:20]) or "none"
        impossible["media_source"] = f"media_source: the printer does not list {source}; its trays: {trays}"
    if tray is None:
        return Medium(None if name is None else Attribute("media", (name,)), impossible)
    if name is None:
        return Medium(_collection((), tray), impossible)
    size = _size(name, about)
    if size is None:
        impossible["media_source"] = f"media_source: the printer takes a tray with a size, and {media} does not say one"
        return Medium(Attribute("media", (name,)), impossible)
    return Medium(_collection(size, tray), impossible)


def unjudged(media: str | None, source: str | None) -> list[Attribute]:
    """Both, for a printer that says nothing about itself."""
    name = _named(media)
    if source is None:
        return [] if name is None else [Attribute("media", (name,))]
    size = () if name is None else _dimensions(name)
    return [_collection(size or (), Value(Tag.KEYWORD, source))]


def _named(media: str | None) -> Value | None:
    return None if media is None else Value(Tag.KEYWORD, _SHORT.get(media.lower(), media))


def _collection(size: tuple[Attribute, ...], tray: Value) -> Attribute:
    return attribute("media-col", Tag.BEGIN_COLLECTION, (*size, Attribute("media-source", (tray,))))


def _tray(source: str, about: Group) -> Value | None:
    """The printer's own spelling of a tray; None: it cannot be asked for it."""
    members = about.texts("media-col-supported")
    if members and "media-source" not in members:
        return None
    return _listed(about, "media-source-supported", source)


def _listed(about: Group, name: str, wanted: object) -> Value | None:
    """A value in the printer's own spelling."""
    same = (found for found in about.values(name) if (found.text or "").lower() == str(wanted).lower())
    return next(same, None)


def _takes_any_size(about: Group) -> bool:
    return any(found.startswith("custom_m") for found in about.texts("media-supported"))


def _size(name: Value, about: Group) -> tuple[Attribute, ...] | None:
    """The members that say a medium's size; None: there is no way to say it."""
    found = _dimensions(name)
    if found is None and "media-size-name" in about.texts("media-col-supported"):
        return (Attribute("media-size-name", (name,)),)
    return found


def _dimensions(name: Value) -> tuple[Attribute, ...] | None:
    """`media-size` of a self-describing name, in hundredths of a millimetre."""
    found = _SIZE.search(name.text or "")
    if found is None:
        return None
    x, y = (round(float(number) * _HUNDREDTHS[found[3]]) for number in found.group(1, 2))
    size = (attribute("x-dimension", Tag.INTEGER, x), attribute("y-dimension", Tag.INTEGER, y))
    return (attribute("media-size", Tag.BEGIN_COLLECTION, size),)
