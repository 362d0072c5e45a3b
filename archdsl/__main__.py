"""`python -m archdsl`."""

from archdsl.commands import main

if __name__ == "__main__":
    raise SystemExit(main())
