"""Floor 4: the running process. Platforms, inbox, outbox, clock, media, console, command line, wiring."""

__version__ = "0.1.0"
