"""Links lead somewhere, commands that are shown exist, tables are those of the results."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from vesalius.cli.program import program

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(ROOT.glob("*.md")) + [
    page for page in sorted((ROOT / "docs").rglob("*.md")) if "generated" not in page.parts
]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOC = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(vesalius [^`\n]+)`")
COMMANDS = typer.main.get_command(program).commands  # type: ignore[attr-defined]
GENERATED = ROOT / "docs" / "reference" / "generated"
FIGURES = ROOT / "docs" / "explanation" / "generated"


def shown_commands(page: Path) -> list[str]:
    """Every line of shell on a page, and every inline command."""
    text = page.read_text(encoding="utf-8")
    found = INLINE.findall(text)
    for language, code in FENCE.findall(text):
        if language == "bash":
            found += [line.split(" #")[0] for line in code.splitlines()]
    return [part.strip() for line in found for part in line.split("&&")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        target = (page.parent / link).resolve()
        made = target.parent in (GENERATED, FIGURES)  # when the docs are built
        assert target.exists() or made, f"{page.name}: {link}"


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = {"index"}
    for page in (ROOT / "docs").rglob("index.md"):
        folder = page.parent.relative_to(ROOT / "docs")
        for toc in TOC.findall(page.read_text(encoding="utf-8")):
            entries = [line for line in toc.splitlines() if line and not line.startswith(":")]
            listed |= {(folder / entry).as_posix() for entry in entries}
    pages = {
        page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        for page in PAGES
        if page.is_relative_to(ROOT / "docs")
    }
    assert pages <= listed, f"in no table of contents: {sorted(pages - listed)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_are_shown_exist(page: Path) -> None:
    from vesalius import recipes, tasks

    for line in shown_commands(page):
        words = shlex.split(line)
        if words and words[0].startswith(("scripts/", ".ci/")):
            assert os.access(ROOT / words[0], os.X_OK), line
        if words and words[0] == "python" and len(words) > 1 and words[1].endswith(".py"):
            assert (ROOT / words[1]).is_file(), line
        if len(words) < 2 or words[0] != "vesalius" or not words[1].isalpha() or words[1].isupper():
            continue
        assert words[1] in COMMANDS, line
        known = {name for item in COMMANDS[words[1]].params for name in item.opts} | {"--help"}
        for k, word in enumerate(words):
            if word.startswith("--") or (word.startswith("-") and word[1:2].isalpha()):
                assert word in known, f"{line}: {word}"
            if word == "--task":
                assert words[k + 1] in tasks.names() or words[k + 1].isupper(), line
        if words[1] in ("run", "show") and words[2:] and not words[2].isupper():
            assert words[2] in recipes.names(), line


def test_the_readme_has_two_commands_for_all_set_up() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"<!-- command: (\w+) -->\n```bash\n(.*?)\n```", text, re.DOTALL))
    assert set(found) == {"run", "test"}
    assert all("\n" not in command for command in found.values()), "one line each"
    assert "pip install . && vesalius run" in found["run"]
    assert "pip install -e '.[test]' && scripts/check && scripts/test" in found["test"]


def test_ci_runs_the_command_of_the_readme(tmp_path: Path) -> None:
    # the folder that CI sees holds a README whose command is harmless
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_bytes((ROOT / ".ci" / "run").read_bytes())
    readme = "text\n```bash\nexit 7\n```\n<!-- command: test -->\n```bash\necho 'so be it'\n```\n"
    (tmp_path / "README.md").write_text(readme)
    done = subprocess.run(
        ["bash", str(tmp_path / ".ci" / "run")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "so be it"


def test_tables_are_those_of_the_results() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "tables"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stdout
