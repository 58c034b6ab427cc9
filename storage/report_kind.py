"""What a stored report is about."""

from __future__ import annotations

from enum import StrEnum


class ReportKind(StrEnum):
    """A window against the champion's reference; a challenger against the champion, at its gate; spans of time."""

    CHECK = "check"
    MODELS = "models"
    PERIODS = "periods"
