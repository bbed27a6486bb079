"""swap.py ONE OTHER: exchanges the two names, atomically and as fast as it can, until it is ended."""

import ctypes
import os
import sys

AT_FDCWD = -100
RENAME_EXCHANGE = 2


def main():
    one, other = (os.fsencode(name) for name in sys.argv[1:3])
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    while True:
        # Between the two, each gets its share of time.
        if renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))
        for _ in range(200):
            pass


main()
