"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

from tests.browser.chromium import chromium, open_page

__all__ = ["chromium", "open_page"]  # the fixtures; one definition serves all folders

# A machine that runs other tests beside is slow at times; how long a case takes is no property of ours.
settings.register_profile("sq-micro", deadline=None)
settings.load_profile("sq-micro")
