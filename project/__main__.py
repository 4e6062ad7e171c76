"""`python -m project`."""

import sys

try:
    from project.cli import main
except ModuleNotFoundError as error:
    print(  # noqa: T201 - without its packages nothing nicer is there
        f"error: {sys.executable} has no package {error.name}\n"
        "→ Run `make venv` once and `. .venv/bin/activate` in each shell; then this command again",
        file=sys.stderr,
    )
    raise SystemExit(1) from None
except KeyboardInterrupt:  # so early that nothing has been done
    raise SystemExit(130) from None

if __name__ == "__main__":
    raise SystemExit(main())
