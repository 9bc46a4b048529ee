from __future__ import annotations

import os
import signal

import pytest

import vesalius.cli.progress as progress
from vesalius.cli.interruption import Interruption
from vesalius.cli.progress import Bars, Lines, duration
from vesalius.cli.running import settings_from
from vesalius.core.errors import InputError


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.6, "1 min 0 s"), (150, "2 min 30 s"), (8000, "2 h 13 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_lines_tell_beginning_and_end_and_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with Lines() as watch:
        watch.stage("fit", 0)
        for step in range(1, 5):
            now[0] += 4
            watch.advance(step, f"l1 {step}", 40)
        watch.stage("judge", 2)
        watch.advance(2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "fit: begins",
        "fit: 3 of 40  l1 3, about 2 min 28 s left",
        "fit: 4 of 40  l1 4, 16 s",
        "judge: begins, 2 in all",
        "judge: 2 of 2, 0 s",
    ]


def test_bars_take_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as watch:
        watch.stage("fit [1]", 0)
        watch.advance(1, "l1 [0.5]", 3)
        watch.advance(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "fit [1]" in err
    assert "3/3" in err


def test_the_first_signal_asks_and_the_second_interrupts(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before
    assert "again" in capfd.readouterr().err


def test_settings() -> None:
    assert settings_from(["a.b=1", "c=x=y"]) == {"a.b": "1", "c": "x=y"}
    for pairs in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(InputError):
            settings_from(pairs)
