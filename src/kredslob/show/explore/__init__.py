"""The page of levers and charts of any model, in one file that a browser runs without a server."""

from kredslob.show.explore.page import explore

__all__ = ["explore"]
