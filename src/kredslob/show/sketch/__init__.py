"""Diagrams of a model's sectors: laid out, drawn, and written into the file for Vensim."""

from kredslob.show.sketch.layout import View, views
from kredslob.show.sketch.picture import draw_view
from kredslob.show.sketch.places import places
from kredslob.show.sketch.vensim import write_sketch

__all__ = ["View", "draw_view", "places", "views", "write_sketch"]
