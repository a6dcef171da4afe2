"""`python -m bot`, and the command `qunban`."""

import os

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # before numpy: two threads on a busy machine cost fivefold (faq.md B)

from bot.cli import main

if __name__ == "__main__":
    main()
