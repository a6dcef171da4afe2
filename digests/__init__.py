"""Floor 2: reading, comparing, scoring and composing notices. No events, no rights, no clock."""
