"""The places where a replay may come to its conclusions otherwise than production does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flows.app import App
from flows.checking import Draw, draw_report
from flows.judging import Judged, judge_version
from flows.picturing import Picture, pictured
from flows.training_run import Trained
from monitoring.evidence import Check
from monitoring.policy import Decision, History, decide
from storage.stream import Policy, Stream


@dataclass(frozen=True)
class Ways:
    """How a cycle draws a check's report and a training, concludes from a check, and judges a challenger."""

    draw: Draw = draw_report
    picture: Picture = pictured
    decide: Callable[[Policy, Check, History, datetime], Decision] = decide
    judge: Callable[[App, Stream, Trained, datetime], Judged] = judge_version


PRODUCTION = Ways()
