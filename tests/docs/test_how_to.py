"""What the pages "Add a ..." show works: blocks are executed, changes fit, in three files."""

from __future__ import annotations

import inspect
import re
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "how-to").glob("add-*.md"))
BLOCK = re.compile(r"^```(python|diff)\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, file and content of every block of a page that says its file."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def module_name(file: str) -> str:
    return file.removeprefix("src/").removesuffix(".py").replace("/", ".")


def executed(file: str, code: str, page: Path, patch: pytest.MonkeyPatch) -> types.ModuleType:
    """The block as the module that its file would be."""
    module = types.ModuleType(module_name(file))
    patch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, f"{page.name}: {file}", "exec"), module.__dict__)
    return module


def cases(test: object) -> list[dict[str, object]]:
    """Arguments by name of each case of a parametrised test; one empty case for any other."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        return [{}]
    (mark,) = marks
    names, values = mark.args
    return [dict(zip(names, value, strict=True)) for value in values]


def test_there_are_pages() -> None:
    assert len(PAGES) == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_touches_three_files_and_no_more(page: Path) -> None:
    found = blocks(page)
    assert len({file for _, file, _ in found}) == 3
    assert page.read_text(encoding="utf-8").count("```python") == 2
    changed = [file for language, file, _ in found if language == "diff"]
    new = [file for language, file, _ in found if language == "python"]
    assert all((ROOT / file).is_file() for file in changed)
    assert not any((ROOT / file).exists() for file in new), "the example is there already"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_lines_around_a_change_are_those_of_the_file(page: Path) -> None:
    (change,) = [(file, text) for language, file, text in blocks(page) if language == "diff"]
    lines = (ROOT / change[0]).read_text(encoding="utf-8").splitlines()
    place = 0
    for line in change[1].splitlines():
        if line.startswith("+"):
            continue
        assert line[1:] in lines[place:], (
            f"'{line[1:]}' is not in {change[0]}, or not in this order"
        )
        place += lines[place:].index(line[1:]) + 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_works(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tests = []
    for language, file, code in blocks(page):
        if language == "python":
            module = executed(file, code, page, monkeypatch)
            tests += [item for name, item in vars(module).items() if name.startswith("test_")]
    assert len(tests) >= 2
    for test in tests:
        for arguments in cases(test):
            if "tmp_path" in inspect.signature(test).parameters:
                arguments["tmp_path"] = tmp_path_factory.mktemp(page.stem)
            test(**arguments)
