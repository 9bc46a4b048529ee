from __future__ import annotations

import resource
import subprocess
import sys

import pytest

import vesalius

HEAVY = ("torch", "numpy", "monai", "scipy", "matplotlib", "nibabel", "pydicom", "rich")


def spent_s(*command: str) -> tuple[float, str]:
    """Processor time of a command, which a busy machine does not change, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, found.stdout


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_quick(option: str) -> None:
    spent_s("-m", "vesalius.cli", option)  # compiles
    spent, out = spent_s("-m", "vesalius.cli", option)
    assert "vesalius" in out
    assert spent < 0.5


def test_nothing_heavy_is_imported_for_the_version() -> None:
    code = (
        "import sys\nfrom vesalius.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    _, out = spent_s("-c", code)
    assert out.splitlines() == [f"vesalius {vesalius.__version__}", "[]"]


def test_importing_vesalius_is_quick_and_light() -> None:
    code = (
        "import sys, time; began = time.process_time(); import vesalius;"
        "print(time.process_time() - began);"
        f"print([name for name in {(*HEAVY, 'typer')!r} if name in sys.modules])"
    )
    _, out = spent_s("-c", code)
    seconds, heavy = out.splitlines()
    assert float(seconds) < 0.1
    assert heavy == "[]"


def test_every_public_name_is_there() -> None:
    for name in vesalius.__all__:
        assert getattr(vesalius, name) is not None, name
        assert name in dir(vesalius)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = vesalius.nothing  # type: ignore[attr-defined]


def test_the_verbs_stay_verbs_when_their_modules_are_imported() -> None:
    code = (
        "import vesalius.runner.apply, vesalius.runner.run, vesalius.runner.sample, vesalius\n"
        "print([callable(getattr(vesalius, n)) for n in ('apply', 'run', 'sample', 'evaluate')])"
    )
    _, out = spent_s("-c", code)
    assert out.strip() == "[True, True, True, True]"
