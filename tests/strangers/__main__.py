"""`make strangers`: run the vendor's clients and write the table anew."""

import tempfile
from pathlib import Path

from tests.strangers.proceedings import rewrite

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="polyb0t-strangers-") as folder:
        rewrite(Path(folder))
