"""The web console: pages for the clerk and the built-in work group. Server-rendered; works without a script where promised."""
