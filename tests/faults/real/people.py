"""People who decide about the same trade at the same moment, each in a process of his own."""

from typing import Any

from tests.faults.real.children import Child, fork
from tests.faults.real.exchange import PanelDoor
from tests.faults.real.history import RealHistory
from tests.faults.real.home import eventually, pause
from tests.faults.real.scenario import Scenario


def deciders(count: int, way: str) -> Scenario:
    """So many people approve at the same moment, at terminals, over HTTP, or both; one of four rejects."""

    def run(history: RealHistory) -> None:
        history.begin()
        ways = {"commands": ("command",), "HTTP": ("http",), "both": ("command", "http")}[way]
        if "http" in ways:
            history.home.start_api()
        flag = history.folder / "now"
        people = [_decider(history, number, ways[number % len(ways)], flag) for number in range(count)]
        flag.touch()
        eventually(lambda: not any(one.running for one in people), within=90, what="the decisions")
        history.winners = sum(_told_that_it_counts(one) for one in people if "approve" in one.name)
        history.faults.append(f"{history.winners} of {count} people approved")

    return Scenario(f"{count} deciders, {way}", run)


def _told_that_it_counts(person: Child) -> bool:
    """The command ends with another code if the trade came to nothing before it looked."""
    return person.code == 0 or "Approved by" in person.output


def _decider(history: RealHistory, number: int, way: str, flag: Any) -> Child:
    """A person who waits for the flag; ends with 0 if his decision counted."""
    verb = "reject" if number % 4 == 3 else "approve"
    intent, home = history.intent.id, history.home
    door = PanelDoor(f"http://127.0.0.1:{home.api_port}")

    def decide() -> None:
        from polyb0t.cli.main import run as command

        while not flag.exists():
            pause(0.001)
        if way == "http":
            door.ask("POST", f"/intents/{intent}/{verb}", {})  # an HTTP error ends with a traceback
            return
        more = ["--yes", "--no-wait"] if verb == "approve" else ["--reason", "no"]
        raise SystemExit(command(["intents", verb, intent, *more]))

    out = history.folder / f"{verb}-{number}.out"
    child = fork(f"{verb}-{number}", decide, folder=history.folder, environment=home.environment, out=out)
    home.children.append(child)
    return child
