"""Starting a network where something is in the way."""

import socket
from pathlib import Path

import httpx2
import msgspec
import pytest

from nebula.localnet import processes, supervisor
from nebula.localnet.places import LISTENERS, ports, prepare
from nebula.localnet.processes import begin, wait_for
from nebula.localnet.supervisor import ProcessState, running, states, stop
from nebula.protocol.errors import NotPermittedError, UnavailableError


def test_a_port_that_another_program_listens_at_is_named_before_anything_is_started(tmp_path: Path) -> None:
    prepare(tmp_path)
    with socket.create_server(("127.0.0.1", ports(tmp_path)["hub"])), pytest.raises(UnavailableError) as caught:
        begin(tmp_path)

    assert caught.value.code == "localnet.port"
    assert f"port {ports(tmp_path)['hub']}" in caught.value.message
    assert "hub" in caught.value.message
    assert running(tmp_path) is None
    assert not (tmp_path / "logs").exists()


def test_a_party_that_ends_again_and_again_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter(range(1, 100))

    def restarting(_folder: Path) -> list[ProcessState]:
        return [ProcessState("hub", 1, next(seen))]

    monkeypatch.setattr(processes, "begin", lambda _folder: None)
    monkeypatch.setattr(processes, "states", restarting)
    monkeypatch.setattr(supervisor, "POLL_SECONDS", 0)
    monkeypatch.setattr(processes, "answers", lambda _url, _http: False)

    with pytest.raises(UnavailableError, match="hub ends as soon as it is started") as caught:
        wait_for(tmp_path, {"hub": "http://127.0.0.1:1"})

    assert caught.value.hint == f"{tmp_path / 'logs' / 'hub'}.log says why"


def test_a_supervisor_that_was_dying_when_it_was_looked_at_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []
    monkeypatch.setattr(processes, "begin", begun.append)
    monkeypatch.setattr(supervisor, "POLL_SECONDS", 0)
    monkeypatch.setattr(processes, "answers", lambda _url, _http: len(begun) == 2)

    wait_for(tmp_path, {"hub": "http://127.0.0.1:1"})

    assert begun == [tmp_path] * 2


def test_a_supervisor_that_dies_again_and_again_is_not_started_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []
    monkeypatch.setattr(processes, "begin", begun.append)
    monkeypatch.setattr(processes, "START_SECONDS", 1)
    monkeypatch.setattr(supervisor, "POLL_SECONDS", 0)
    monkeypatch.setattr(processes, "answers", lambda _url, _http: False)

    with pytest.raises(UnavailableError, match="the supervisor ends as soon as") as caught:
        wait_for(tmp_path, {"hub": "http://127.0.0.1:1"})

    assert caught.value.code == "localnet.supervisor"
    assert len(begun) == processes.MOST_RESTARTS


def test_old_numbers_of_processes_are_no_running_network(tmp_path: Path) -> None:
    (tmp_path / "supervisor.lock").write_text("1")  # another user's process by now, and not ours to end
    (tmp_path / "processes.json").write_bytes(msgspec.json.encode([ProcessState("hub", 1, 1)]))

    assert running(tmp_path) is None
    assert stop(tmp_path) is False
    assert [one.name for one in states(tmp_path)] == ["hub"]


def test_a_network_that_another_user_runs_is_left_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(supervisor, "running", lambda _folder: 4242)
    monkeypatch.setattr(supervisor.os, "kill", refuse)

    with pytest.raises(NotPermittedError, match="process 4242"):
        stop(tmp_path)


def test_who_does_not_answer_is_no_party() -> None:
    with httpx2.Client(timeout=1, trust_env=False) as http:
        assert processes.answers("http://127.0.0.1:9", http) is False
    assert "hub" in LISTENERS
