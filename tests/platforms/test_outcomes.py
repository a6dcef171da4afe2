"""docs/platforms/faults.md says what the tests found."""

from __future__ import annotations

from pathlib import Path

from tests.platforms.outcomes import page

DOCUMENT = Path(__file__).parents[2] / "docs" / "platforms" / "faults.md"


def test_the_table_of_faults_is_what_the_tests_found() -> None:
    assert DOCUMENT.read_text("utf-8") == page(), "python -m tests.platforms.test_outcomes 重写"


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text(page(), "utf-8")
