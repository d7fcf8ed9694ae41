"""The pictures, drawn with matplotlib: how they look, and how they come into a strict page."""
