"""What is handed out to run polyb0t as a service: checked as far as no container engine is needed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from polyb0t.config.refusals import SECRET_NAMES
from polyb0t.config.settings import PREFIX, Settings, load_settings
from tests.test_documents import parses

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
UNITS = sorted((DEPLOY / "systemd").iterdir())
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
PROGRAM = "/opt/polyb0t/.venv/bin/polyb0t"
KEYLESS = ("api",)

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
each_unit = pytest.mark.parametrize(
    "path", [path for path in UNITS if path.suffix != ".conf"], ids=lambda path: path.name
)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def ours() -> dict[str, Any]:
    """The services that are polyb0t."""
    return {name: each for name, each in compose()["services"].items() if each["image"] == "polyb0t"}


def instructions(name: str) -> list[str]:
    whole = re.sub(r"^#.*\n", "", CONTAINERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in whole.splitlines() if line.startswith(f"{name} ")]


class TestEveryFile:
    @each_file
    def test_its_commands_are_ones_that_the_program_has(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        typed = re.findall(r"(?:bin/|exec [a-z]+ |\[CMD-SHELL, ')polyb0t((?: -{0,2}[A-Za-z][\w-]*)+)", text)
        assert [words for words in typed if not parses(f"polyb0t{words}")] == []

    @each_file
    def test_its_settings_exist(self, path: Path) -> None:
        known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | SECRET_NAMES
        assert set(re.findall(rf"{PREFIX}[A-Z_]+", path.read_text(encoding="utf-8"))) <= known

    @each_file
    def test_nothing_secret_and_no_machine_of_ours_is_in_it(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"0x[0-9a-fA-F]{40}|-----BEGIN|(?:/work|/root|/home)/", text)
        assert not any(f"{name}=" in text for name in SECRET_NAMES)


class TestTheImage:
    def test_its_bases_are_names_without_a_registry(self) -> None:
        bases = {line.split()[0] for line in instructions("FROM")}
        assert bases == {"python:3.12-slim"}
        assert {each["image"] for each in compose()["services"].values()} == {"polyb0t", "postgres:17"}

    def test_it_does_not_run_as_root(self) -> None:
        stage = CONTAINERFILE.rpartition("\nFROM ")[2]
        assert stage.index("\nUSER polyb0t") < stage.index("\nENTRYPOINT")
        assert "USER root" not in stage

    def test_what_it_copies_is_there_and_is_let_through(self) -> None:
        wanted = [
            source
            for line in instructions("COPY")
            if not line.startswith("--from")
            for source in line.split()[:-1]
        ]
        let_through = {
            line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
        }
        assert wanted
        assert {source.removeprefix("./") for source in wanted} <= let_through
        assert [source for source in wanted if not (ROOT / source).exists()] == []

    def test_everything_it_installs_has_a_hash(self) -> None:
        installs = [
            part for line in instructions("RUN") for part in line.split("&&") if "pip install" in part
        ]
        assert len(installs) == 3
        assert all(
            "--require-hashes" in part or "--no-deps --no-build-isolation ." in part for part in installs
        )

    def test_the_driver_of_postgresql_is_found_in_the_lock_with_its_hashes(self) -> None:
        script = re.search(r"awk '(.*?)'", CONTAINERFILE)
        assert script is not None
        done = subprocess.run(
            ["awk", script.group(1), str(ROOT / "requirements-dev.lock")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert re.findall(r"^([a-z-]+)==", done.stdout, re.MULTILINE) == ["psycopg", "psycopg-binary"]
        assert "--hash=sha256:" in done.stdout


class TestTheEntrypoint:
    def test_passwords_come_by_descriptor_and_are_on_no_command_line(self, tmp_path: Path) -> None:
        told = tmp_path / "polyb0t"
        told.write_text('#!/bin/sh\necho "$@"\necho "$PGPASSWORD"\ncat <&"$POLYBOT_KEYSTORE_PASSWORD_FD"\n')
        told.chmod(0o755)
        (tmp_path / "database_password").write_text("of the database")
        (tmp_path / "keystore_passwords").write_text("of the engine\nof the relayer\n")

        assert self.run(tmp_path, "run", "--live") == [
            "run --live",
            "of the database",
            "of the engine",
            "of the relayer",
        ]

    def test_without_secrets_it_is_polyb0t_and_nothing_else(self, tmp_path: Path) -> None:
        told = tmp_path / "polyb0t"
        told.write_text('#!/bin/sh\necho "$@" "${PGPASSWORD-none}" "${POLYBOT_KEYSTORE_PASSWORD_FD-none}"\n')
        told.chmod(0o755)

        assert self.run(tmp_path, "status") == ["status none none"]

    @staticmethod
    def run(folder: Path, *arguments: str) -> list[str]:
        done = subprocess.run(
            ["sh", str(DEPLOY / "entrypoint.sh"), *arguments],
            env={"PATH": f"{folder}:{os.environ['PATH']}", "SECRETS_FOLDER": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()


class TestTheComposition:
    @pytest.mark.parametrize("name", ["engine", "standby", "claims", "api"])
    def test_each_service_is_a_command_of_the_program(self, name: str) -> None:
        assert parses(f"polyb0t {' '.join(ours()[name]['command'])}")

    def test_only_who_signs_is_handed_the_keystore(self) -> None:
        handed = {name for name, each in ours().items() if "keystore_passwords" in each["secrets"]}
        assert handed == {"engine", "standby", "claims"}

    def test_no_two_engines_can_share_a_name(self) -> None:
        """The lease tells processes apart by host name: equal names would prove a living engine dead."""
        assert [name for name, each in compose()["services"].items() if "hostname" in each] == []

    def test_nothing_is_reached_from_elsewhere_but_through_a_proxy_here(self) -> None:
        services = compose()["services"]
        assert "ports" not in services["database"]
        assert {name for name, each in services.items() if "ports" in each} == {"api"}
        assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]
        assert "--behind-proxy" in services["api"]["command"]

    @pytest.mark.parametrize("name", ["engine", "standby", "claims", "api"])
    def test_it_may_do_nothing_but_its_work(self, name: str) -> None:
        service = ours()[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]

    def test_real_money_is_no_accident(self) -> None:
        """As it stands it is a dry run: the settings decide, and the handed-out ones say so."""
        assert all("--no-dry-run" not in each["command"] for each in ours().values())
        assert "POLYBOT_DRY_RUN=true" in (DEPLOY / "polyb0t.env.example").read_text().splitlines()


def test_the_handed_out_settings_can_be_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for line in (DEPLOY / "polyb0t.env.example").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value.replace("0xYourWalletAddress", "0x" + "1" * 40))

    settings = load_settings()

    assert settings.dry_run is True
    assert settings.budget_pusd == settings.bankroll_pusd


class TestTheUnits:
    @each_unit
    def test_systemd_takes_it(self, path: Path, tmp_path: Path) -> None:
        if shutil.which("systemd-analyze") is None:
            pytest.skip("needs systemd-analyze")
        program = Path(sys.executable).with_name("polyb0t")
        for unit in UNITS:
            if unit.suffix != ".conf":
                (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, str(program)))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(tmp_path / path.name)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        )
        said = [line for line in done.stderr.splitlines() if "polyb0t" in line]
        assert (done.returncode, said) == (0, [])

    @pytest.mark.parametrize("name", ["engine", "claims", "api", "backup"])
    def test_it_may_do_nothing_but_its_work(self, name: str) -> None:
        text = (DEPLOY / "systemd" / f"polyb0t-{name}.service").read_text()
        for line in ("User=polyb0t", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
            assert f"\n{line}\n" in text

    def test_what_a_person_has_to_look_at_is_not_tried_again(self) -> None:
        """2: a setting, 4: a gate or another engine, 5: a key. A crash is tried again."""
        text = (DEPLOY / "systemd" / "polyb0t-engine.service").read_text()
        assert "RestartPreventExitStatus=2 4 5" in text
        assert "Restart=on-failure" in text

    def test_the_api_is_handed_no_key(self) -> None:
        for name in KEYLESS:
            text = (DEPLOY / "systemd" / f"polyb0t-{name}.service").read_text()
            assert "Credential" not in text
            assert "KEYSTORE" not in text

    def test_no_password_is_on_a_command_line(self) -> None:
        for path in UNITS:
            for line in path.read_text().splitlines():
                if "keystore" in line and line.startswith("ExecStart="):
                    assert '3<"$CREDENTIALS_DIRECTORY/keystore"' in line
