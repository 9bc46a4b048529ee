from __future__ import annotations

import errno
import warnings

import pytest
import typer

import vesalius.cli.program as shell
from vesalius.cli import main
from vesalius.cli.failure import plain_warnings
from vesalius.core.errors import InputError, MissingExtra, UnknownName


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (InputError("a volume", came="a slice", case="p1"), 2, "p1: expected a volume"),
        (UnknownName("task", "mri4x", ["mri-4x"]), 2, "did you mean mri-4x?"),
        (ValueError("too few"), 2, "too few"),
        (OSError(errno.EACCES, "Permission denied", "/a"), 2, "/a: Permission denied"),
        (MissingExtra("cornucopia", "more"), 3, "pip install 'vesalius[more]'"),
        (RuntimeError("boom\nboom"), 1, "RuntimeError: boom boom"),
        (AssertionError(), 1, "AssertionError"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_every_error_is_one_sentence_and_a_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    says: str,
) -> None:
    program = typer.Typer(pretty_exceptions_enable=False)

    @program.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(shell, "program", program)
    monkeypatch.delenv("VESALIUS_DEBUG", raising=False)
    with pytest.raises(SystemExit) as stopped:
        main([])
    out, err = capsys.readouterr()
    assert stopped.value.code == code
    assert out == ""
    assert says in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 1
    if code == 1:
        assert "--debug" in err
    if code in (130,):
        return
    for arguments, variable in ((["--debug"], "0"), ([], "1")):
        monkeypatch.setenv("VESALIUS_DEBUG", variable)
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == code
        assert "Traceback" in capsys.readouterr().err


def test_exit_codes_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Exit codes" in shown
    assert "130 interrupted" in shown


def test_a_warning_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        plain_warnings()
        warnings.warn("three values\nwere clipped", stacklevel=1)
    assert capsys.readouterr().err == "warning: three values were clipped\n"
