"""The pages for people, built from `hub/web`: delivery, the API and the command line do without them."""

from functools import partial
from pathlib import Path

from hub.config import Settings
from hub.features.web_pages import rules
from hub.features.web_pages.routes import PageRoutes
from hub.features.web_pages.service import WebPages
from hub.parts import Parts
from hub.subject import Subject

BUILT_IN = Path(__file__).parents[2] / "web" / "dist"
"""Where an installed hub has them."""


def build(settings: Settings, parts: Parts) -> Subject:
    """Needs nothing of the other subjects."""
    pages = parts.add(WebPages(settings.pages_folder or BUILT_IN))
    return Subject(fast_paths=(partial(PageRoutes, pages=pages),), uncounted=(rules.ASSETS,))
