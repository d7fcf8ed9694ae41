"""What can go wrong in this room, as one class that the command prints in one line."""


class BackpropError(Exception):
    """Say what is wrong, where, and what to do, in one line fit for a terminal."""
