"""`python -m polyb0t` is the same as the command `polyb0t`."""

from polyb0t.cli.main import main

if __name__ == "__main__":
    main()
