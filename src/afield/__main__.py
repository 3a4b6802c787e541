"""`python -m afield` is the command `afield`."""

from afield.cli import main

main()
