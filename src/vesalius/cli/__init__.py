"""The command line: a thin shell over runs and run folders.

Nothing heavy is imported before a command needs it, so that help and version are quick.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``vesalius`` with ``arguments`` (those of the process if None); always exits."""
    import sys

    from vesalius.cli.failure import failed
    from vesalius.cli.program import program

    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        program(args=[one for one in given if one != "--debug"], prog_name="vesalius")
    except Exception as error:
        sys.exit(failed(error, debug=debug))
    except KeyboardInterrupt:
        from vesalius.cli.failure import INTERRUPTED

        sys.exit(INTERRUPTED)
