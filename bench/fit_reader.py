"""Fit the reader's models from the shipped phrases and write config/fitted.bin, the cache every start reads.

    uv run python bench/fit_reader.py

Run it after any change of phrases, categories, standards or lexicon; tests/test_reading.py says when it is stale.
"""

from __future__ import annotations

from pathlib import Path

import config
from config.files import shipped_county
from config.lexicon import shipped_lexicon
from handlers.reports.reading_model import pack
from handlers.reports.reading_school import key_of, teach


def main() -> None:
    county, lexicon = shipped_county(), shipped_lexicon()
    data = pack(key_of(county, lexicon), teach(county, lexicon))
    path = Path(config.__file__).with_name("fitted.bin")
    path.write_bytes(data)
    print(f"{path.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
