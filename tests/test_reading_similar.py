"""Duplicates are suggested with reasons, and only when place and class, or the photo, speak for it."""

from __future__ import annotations

from handlers.reports.reading import Trace, similar

A = Trace("府前路井盖坏了", "部件0123", "r1", "府前路5号", 1000, ("h1",))


def test_same_place_and_class_within_hours() -> None:
    assert set(similar(A, Trace("府前路5号井盖破了", "部件0123", "r1", "府前路5号", 5000))) >= {"地点相同", "类别相同"}


def test_other_house_numbers_are_other_places() -> None:
    assert similar(A, Trace("府前路80号井盖破了", "部件0123", "r1", "府前路80号", 5000)) == ()


def test_the_same_photo_is_enough() -> None:
    assert "照片相同" in similar(A, Trace("看这里", photos=("h1",), at=90000))


def test_last_weeks_report_is_another() -> None:
    assert similar(A, Trace("府前路井盖坏了", "部件0123", "r1", "府前路5号", 1000 + 8 * 86400)) == ()
