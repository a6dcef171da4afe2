"""A task from its opening to its end. `lifecycle` is the table; the rest carries it out."""
