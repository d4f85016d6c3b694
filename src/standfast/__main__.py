"""`python -m standfast`."""

from standfast.cli import main

if __name__ == "__main__":
    main()
