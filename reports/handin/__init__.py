"""The folder to hand in: its README, the notebook, the wheel, the archive."""
