"""``python -m amarevents`` is the command line."""

from amarevents.cli.main import main

if __name__ == "__main__":
    main()
