"""`python -m loadtest`."""

import gc
import sys

# What is imported stays until the end: to look for garbage among it would take a third of the time again.
gc.disable()

from loadtest.cli import main  # noqa: E402

gc.enable()
code = main()
gc.freeze()  # nor is it worth being taken apart
sys.exit(code)
