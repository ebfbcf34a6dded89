"""Run one command and write each line of its standard error with the time it came.

python stamp.py LINES COMMAND...
"""

import subprocess
import sys
import time


def main():
    """Follow the command."""
    with open(sys.argv[1], "w", encoding="utf-8", errors="replace") as lines:
        process = subprocess.Popen(
            sys.argv[2:], stderr=subprocess.PIPE, text=True, errors="replace"
        )
        for line in process.stderr:
            lines.write(f"{time.time():.4f} {line}")
            lines.flush()
        sys.exit(process.wait())


if __name__ == "__main__":
    main()
