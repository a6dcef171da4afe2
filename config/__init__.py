"""Floor 0: settings, the error tree and the county's data. Imports nothing of the floors above."""
