"""The page that `floorhub print --test-page` prints."""

from schemas.test_page import page

__all__ = ["page"]
