"""`python -m archdsl`."""

from archdsl.commands._run import main

if __name__ == "__main__":
    raise SystemExit(main())
