"""`python -m bench`: measure what is asked for, print it, and write it to bench/results."""

from __future__ import annotations

import sys

from bench.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
