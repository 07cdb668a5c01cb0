"""`python3 -m toolchain`."""

from toolchain.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
