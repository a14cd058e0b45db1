"""The workshop page: the whole model in one file that a browser runs without a server."""

from kredslob.show.workshop.page import workshop, write_workshop

__all__ = ["workshop", "write_workshop"]
