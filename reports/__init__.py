"""The page to hand in, built from what the other two packages recorded."""
