"""Floor 1: the database. One writer, read-only readers, migrations, one file of SQL per aggregate."""

from store.store import Store
from store.writer import Job, Outcome, Tx

__all__ = ["Job", "Outcome", "Store", "Tx"]
