"""What the launcher gives to the processes that it starts, and what they do when it is gone."""

import os
import socket
import subprocess
import sys

import pytest

from polyb0t.core.errors import ConflictError
from polyb0t.runtime.launch import environment_of
from polyb0t.runtime.leash import LEASH_NAME
from polyb0t.runtime.ports import refuse_taken_port

SIGNS = {"PATH": "/bin", "POLYBOT_PRIVATE_KEY": "secret", "polybot_private_key": "secret"}
GIVEN = SIGNS | {"POLYBOT_RELAYER_API_KEY": "secret", "polybot_relayer_api_key_address": "0x"}
WAITS = "import threading; from polyb0t.runtime.leash import hold_if_given; hold_if_given(); threading.Event().wait()"


def test_keys_go_to_the_processes_that_use_them_and_to_nobody_else():
    assert environment_of("engine", GIVEN) == SIGNS
    assert environment_of("claims", GIVEN) == GIVEN
    assert environment_of("sandbox", GIVEN) == {"PATH": "/bin"}
    assert environment_of("api", GIVEN) == {"PATH": "/bin"}


def test_a_taken_port_names_who_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConflictError) as refused:
            refuse_taken_port("127.0.0.1", taken.getsockname()[1], "POLYBOT_API_PORT=1")
    assert f"Process {os.getpid()} " in refused.value.why


def test_a_process_ends_with_the_one_that_holds_its_leash():
    ours, theirs = os.pipe()[::-1]
    child = subprocess.Popen(
        [sys.executable, "-c", WAITS], env={**os.environ, LEASH_NAME: str(theirs)}, pass_fds=[theirs]
    )
    os.close(theirs)
    assert child.poll() is None
    os.close(ours)
    assert child.wait(20) == -15


@pytest.mark.parametrize("nonsense", ["", "none", "-1"])
def test_a_leash_that_is_none_holds_nothing(nonsense):
    done = subprocess.run(
        [sys.executable, "-c", "from polyb0t.runtime.leash import hold_if_given; hold_if_given()"],
        env={**os.environ, LEASH_NAME: nonsense},
        check=False,
    )
    assert done.returncode == 0
