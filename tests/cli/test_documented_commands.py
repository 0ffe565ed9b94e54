"""The command lines in the documents' blocks are run: none is a mistake of usage, and none ends in a traceback."""

import re
import shlex

from tests.cli.conftest import Place
from tests.test_documents import DOCUMENTS, SENTENCE

# What runs until it is stopped, reads the world's past, asks at a terminal, or moves a database: their own
# tests run these.
ELSEWHERE = re.compile(
    r"polyb0t (?:run|sandbox|api|init|doctor|model (?:collect|fit|evaluate)|claims run|db (?:copy|adopt)"
    r"|auth (?:import|check|derive|rotate|code)|intents (?:watch|propose)|status --watch|events)\b"
)
BLOCK = re.compile(r"^```\w*\n(.*?)^```|((?:^ {4}polyb0t.*\n)+)", re.DOTALL | re.MULTILINE)
TYPED = re.compile(r"^(?:\$ |polyb0t> )?\s*(polyb0t [a-z-].*?)(?:\s+#.*)?$", re.MULTILINE)
ASKED = "use --yes"  # nobody sits at this terminal, so nothing is asked and nothing done
EXAMPLES = {"...": "because", "DIGEST": "ab" * 32, "FILE": "copy.sqlite3"}


def lines() -> list[str]:
    blocks = [match for path in DOCUMENTS for match in BLOCK.findall(path.read_text(encoding="utf-8"))]
    typed = {line for block in blocks for part in block for line in TYPED.findall(part)}
    return sorted(line for line in typed if not ELSEWHERE.match(line) and SENTENCE not in line)


def test_every_documented_command_runs(place: Place) -> None:
    """There is an engine's row and no trade: what is asked for by id is not found, and says so with 3."""
    found = lines()
    assert len(found) > 20
    wrong = {}
    for line in found:
        answer = place.type(*(EXAMPLES.get(word, word) for word in shlex.split(line)[1:]))
        right = answer.code in (0, 1, 3, 4) or ASKED in answer.err
        if not right or "Traceback" in answer.err:
            wrong[line] = answer
    assert wrong == {}
