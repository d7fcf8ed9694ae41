"""What the page says, room by room, as frozen data computed from derivation and records."""
