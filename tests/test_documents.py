"""The documents say what the program does: names, commands, links and lists are compared with the code."""

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from polyb0t.cli.main import COMMANDS, app
from polyb0t.config.refusals import SECRET_NAMES
from polyb0t.config.settings import PREFIX, Settings
from polyb0t.db.failures import _MEANINGS
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.limits import CONTROLS
from polyb0t.runtime import config_document

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SENTENCE = "polyb0t asks for order"  # of a screen, and no command line
HEADINGS = ("Context", "Decision", "Consequences", "Alternatives")
FIRST_DECISION = ("The question", "The decision", "Why", "What it costs", "What would reverse it")

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_of(path: Path) -> str:
    """What stands in fenced blocks and between single backticks, a piece a line."""
    whole = text_of(path)
    blocks = re.findall(r"^```\w*\n(.*?)^```", whole, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", whole, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", prose)])


class TestWhatIsGenerated:
    def test_the_list_of_settings_is_the_one_that_the_settings_write(self) -> None:
        assert text_of(ROOT / "CONFIG_LIVE_MODE.md") == config_document.markdown()

    def test_so_is_the_example_of_an_env_file(self) -> None:
        assert text_of(ROOT / ".env.example") == config_document.example()


class TestCommands:
    @each_document
    def test_every_make_target_exists(self, path: Path) -> None:
        targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
        named = set(re.findall(r"(?:^|[\s$`(])make ([a-z]+)\b", code_of(path)))
        assert named <= targets

    @each_document
    def test_every_command_line_is_one_that_the_program_has(self, path: Path) -> None:
        wrong = [line for line in command_lines(path) if not parses(line)]
        assert wrong == []

    @pytest.mark.parametrize("line", ["polyb0t intents lst", "polyb0t intents list --al", "polyb0t claim"])
    def test_a_line_that_the_program_has_not_is_found(self, line: str) -> None:
        assert not parses(line)


def command_lines(path: Path) -> Iterator[str]:
    """Each `polyb0t ...` as far as a line of commands goes: two spaces, a bracket or a comma end it."""
    code = code_of(path).replace(SENTENCE, "")
    for found in re.finditer(r"(?<![\w/.@'\x22=:\[-])polyb0t(?: [^\s`()|,;#]+)+", code):
        yield found.group().rstrip(".:")


def parses(line: str) -> bool:
    """Whether group, command and options exist; what is no option counts as an argument."""
    command: Any = get_command(app)
    context = typer.Context(command)
    words = line.split()[1:]
    options = _options(command)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            if word.partition("=")[0] not in options:
                return False
        elif hasattr(command, "get_command"):
            command = command.get_command(context, word)
            if command is None:
                return False
            options |= _options(command)
    return True


def _options(command: Any) -> set[str]:
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return own | {"-h", "--help"}


class TestNames:
    @each_document
    def test_every_setting_exists(self, path: Path) -> None:
        settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | SECRET_NAMES | {PREFIX}
        named = set(re.findall(rf"{PREFIX}[A-Z_]*", text_of(path)))
        assert named <= settings

    @each_document
    def test_every_named_test_exists(self, path: Path) -> None:
        named = set(re.findall(r"\btest_[a-z0-9_]+", text_of(path)))
        assert named <= names_of_tests()

    @each_document
    def test_every_named_source_file_exists(self, path: Path) -> None:
        files = [str(file.relative_to(ROOT)) for file in ROOT.joinpath("polyb0t").rglob("*.py")]
        files += [str(file.relative_to(ROOT)) for file in ROOT.joinpath("tests").rglob("*.py")]
        files += [str(file.relative_to(ROOT)) for file in ROOT.joinpath("bench").rglob("*.py")]
        named = re.findall(r"`((?:[a-z_0-9]+/)*[a-z_0-9]+\.py)`", text_of(path))
        assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []

    @each_document
    def test_each_table_is_whole(self, path: Path) -> None:
        """Rows behind an empty line are no table any more, and are shown as bars."""
        prose = re.sub(r"^```.*?^```", "", text_of(path), flags=re.DOTALL | re.MULTILINE)
        heads = re.findall(r"(?:^|\n)\n(\|[^\n]*)\n(?!\|[-:| ]+\|\n)", prose)
        assert heads == []

    @each_document
    def test_every_relative_link_resolves(self, path: Path) -> None:
        links = re.findall(r"\]\(([^)\s]+)\)", text_of(path))
        broken = [link for link in links if "://" not in link and not _resolves(path, link)]
        assert broken == []


@cache
def names_of_tests() -> frozenset[str]:
    files = list((ROOT / "tests").rglob("test_*.py")) + list((ROOT / "tests").rglob("*_contract.py"))
    functions = {name for file in files for name in re.findall(r"def (test_\w+)", text_of(file))}
    return frozenset(functions | {file.stem for file in files})


def _resolves(path: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.is_file() or ROOT not in target.parents:
        return False
    titles = re.findall(r"^#+ (.*)$", text_of(target), re.MULTILINE)
    return not anchor or anchor in {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles
    }


class TestForeignPlaces:
    @each_document
    def test_nothing_points_out_of_the_repository_or_to_a_machine(self, path: Path) -> None:
        forbidden = (
            r"\.\./shared|\.\./\.\./\.\.|(?<![\w.~<>{}/-])/(?:work|root|home|tmp|Users|mnt)/"
            r"|pypi\.org|pythonhosted|artifactory|index-url|proxy\.golang"
        )
        assert re.findall(forbidden, text_of(path)) == []

    @pytest.mark.parametrize("folder", ["polyb0t", "bench", "scripts"])
    def test_no_source_cites_a_page_that_is_not_here(self, folder: str) -> None:
        here = {path.name for path in ROOT.rglob("*.md") if "node_modules" not in path.parts}
        cited = {
            (path.name, page)
            for path in (ROOT / folder).rglob("*.py")
            for page in re.findall(r"[\w-]+\.md\b", path.read_text(encoding="utf-8"))
        }
        assert [each for each in sorted(cited) if each[1] not in here] == []

    @pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
    def test_a_lock_names_no_host(self, path: Path) -> None:
        assert "://" not in text_of(path)


class TestDecisions:
    @pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
    def test_each_tells_question_answer_price_and_what_else_there_was(self, path: Path) -> None:
        headings = tuple(re.findall(r"^## (.*)$", text_of(path), re.MULTILINE))
        assert headings == (FIRST_DECISION if path.name.startswith("0001") else HEADINGS)

    def test_they_are_numbered_without_a_gap(self) -> None:
        numbers = [int(path.name.partition("-")[0]) for path in DECISIONS]
        assert numbers == list(range(1, len(numbers) + 1))

    @pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
    def test_the_title_has_the_number_of_the_file(self, path: Path) -> None:
        assert text_of(path).startswith(f"# {path.name.partition('-')[0]}. ")


@pytest.fixture(scope="class")
def _sources_read() -> Iterator[None]:
    """All sources as trees are a million objects: nobody holds them longer than the tests of this class."""
    yield
    for kept in (_nodes, _nodes_of, _constants):
        kept.cache_clear()


@pytest.mark.xdist_group("sources")  # read by one worker
@pytest.mark.usefixtures("_sources_read")
class TestOperations:
    """Everything that the program can say about itself has a line on the page that explains it."""

    def test_every_command_is_somewhere_in_the_documents(self) -> None:
        everything = "\n".join(text_of(path) for path in DOCUMENTS)
        quiet = {"config", "version"}  # the list of settings names the first; the second explains itself
        assert [name for name in COMMANDS if f"polyb0t {name}" not in everything and name not in quiet] == []

    def test_every_kind_of_journal_entry(self) -> None:
        assert undocumented(journal_kinds()) == []

    def test_every_event_of_the_log(self) -> None:
        assert undocumented(log_events()) == []

    def test_every_code(self) -> None:
        assert undocumented(codes()) == []

    def test_every_control_and_every_switch(self) -> None:
        assert undocumented({control.__name__ for control in CONTROLS}) == []
        assert [switch for switch in KillSwitchType if switch not in OPERATIONS] == []

    def test_the_table_of_controls_has_each_once_in_the_order_of_the_list_with_what_to_do(self) -> None:
        table = OPERATIONS.partition("\n## Controls")[2].partition("\n### ")[0]
        rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
        assert [row[0].strip("`") for row in rows] == [control.__name__ for control in CONTROLS]
        assert [row for row in rows if len(row) != 4 or not all(row)] == []

    def test_the_default_of_a_limit_that_is_a_setting_is_the_one_that_the_page_tells(self) -> None:
        told = dict(
            re.findall(rf"`{PREFIX}((?:MAX|MIN|SMALL|CASH|SUSPICIOUS|ORDERS)_\w+)` \(([\d.]+)", OPERATIONS)
        )
        assert len(told) >= 15
        assert [name for name, value in told.items() if not _is_default(name.lower(), value)] == []

    def test_a_code_that_nobody_explained_is_found(self) -> None:
        assert undocumented({"halted", "made_up_here"}) == ["made_up_here"]


def _is_default(name: str, told: str) -> bool:
    """As it is, in per cent, or in cents."""
    default = Decimal(str(Settings.model_fields[name].default))
    return Decimal(told) in (default, default * 100)


def undocumented(names: set[str]) -> list[str]:
    return sorted(name for name in names if f"`{name}`" not in OPERATIONS)


@cache
def _nodes(folder: str = "") -> tuple[ast.AST, ...]:
    files = (ROOT / "polyb0t" / folder).rglob("*.py")
    return tuple(node for file in files for node in _nodes_of(file))


@cache
def _nodes_of(file: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(text_of(file))))


def _calls(*folders: str) -> Iterator[tuple[str, ast.Call]]:
    for folder in folders or ("",):
        for node in _nodes(folder):
            if isinstance(node, ast.Call):
                yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


@cache
def _constants() -> dict[str, str]:
    """Names that stand for a string at the top of some module."""
    found = {}
    for node in _nodes():
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(value))):
                found[name] = value
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(value))):
                found[name] = value
    return {name: value for name, value in found.items() if name.isupper()}


def _texts(node: ast.expr | None) -> set[str]:
    """The strings that an expression can be, as far as they stand in it or in a named constant."""
    match node:
        case ast.Name(id=name) if name in _constants():
            return {_constants()[name]}
        case ast.Constant(value=str(value)):
            return {value} if value else set()
        case ast.IfExp(body=body, orelse=orelse):
            return _texts(body) | _texts(orelse)
        case _:
            return set()


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def journal_kinds() -> set[str]:
    kinds = set[str]()
    for name, call in _calls("db", "runtime", "execution", "cli", "api"):
        kinds |= {text for text in _texts(_keyword(call, "kind")) if "." in text}
        if name == "note" and call.args:
            kinds |= {text for text in _texts(call.args[0]) if "." in text}
    for file in (ROOT / "polyb0t" / "db" / "moves.py", ROOT / "polyb0t" / "db" / "kill_switch_store.py"):
        kinds |= set(re.findall(r'"((?:intent|switch)\.[a-z]+)"', text_of(file)))
    return kinds


def log_events() -> set[str]:
    levels = {"debug", "info", "warning", "error", "critical", "exception"}
    return {
        text
        for name, call in _calls()
        if name in levels and isinstance(call.func, ast.Attribute) and call.args
        for text in _texts(call.args[0])
        if getattr(call.func.value, "id", "") in ("log", "_log")
    }


def codes() -> set[str]:
    found = {meaning[0] for _, meaning in _MEANINGS}
    for name, call in _calls():
        found |= _texts(_keyword(call, "code"))
        if name == "Denied" and call.args:
            found |= _texts(call.args[0])
    for node in _nodes():
        if isinstance(node, ast.ClassDef):
            found |= {text for statement in node.body for text in _class_code(statement)}
    return found


def _class_code(statement: ast.stmt) -> set[str]:
    target: ast.expr | None = None
    if isinstance(statement, ast.AnnAssign):
        target = statement.target
    elif isinstance(statement, ast.Assign):
        target = statement.targets[0]
    if not (isinstance(target, ast.Name) and target.id == "code"):
        return set()
    return _texts(statement.value if isinstance(statement, ast.AnnAssign | ast.Assign) else None)
