"""Floor 4: the running process. Platforms, inbox, outbox, clock, media, console, command line, wiring."""
