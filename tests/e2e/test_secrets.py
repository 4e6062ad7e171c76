"""Secrets that were planted: nothing that is written, started, printed or sent holds one of them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko
import pytest
import requests

from tests.contract.ssh.two_factors import two_factor_server
from tests.e2e.far_side import UUID, job_folder, wait_for_mail, wait_until, write_job
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.grid import Grid

pytestmark = [pytest.mark.slurm, pytest.mark.needs("sandbox")]
_ROOT = Path(__file__).resolve().parents[2]
_NAME = "eve"


class Planted:
    """A person with secrets nobody else has.

    Attributes:
        password: at the registry.
        passphrase: of the key.
        code: the second factor.
        home: the client's folder.
        control: the folder that all jobs share on the cluster.
    """

    def __init__(self, grid: Grid, folder: Path) -> None:
        self._grid = grid
        self._folder = folder
        self.password, self.passphrase, self.code = (f"planted-{uuid.uuid4().hex}" for _ in range(3))
        self.home = folder / "home"
        self.control = Path(grid.info.job_root, "gridferry", "control")
        self.printed = ""
        grid.admin("user", "add", _NAME, "--mail", f"{_NAME}@example.org", "--password-stdin", stdin=self.password)
        self.key = folder / "key"
        shutil.copy(grid.info.ssh_key, self.key)
        self.key.chmod(0o600)
        locked = ["ssh-keygen", "-q", "-p", "-P", "", "-N", self.passphrase, "-f", str(self.key)]
        subprocess.run(locked, check=True, stdout=subprocess.DEVNULL, timeout=30)
        self.home.mkdir(mode=0o700)
        (self.home / "known_hosts").touch(mode=0o600)
        shutil.copyfile(grid.home / "known_hosts", self.home / "known_hosts")

    @property
    def token(self) -> str:
        """What the password became."""
        return (self.home / "token").read_text().strip()

    @property
    def report_token(self) -> str:
        """What the cluster got, to report with."""
        return str(json.loads(self.credentials.read_text())["token"])

    @property
    def credentials(self) -> Path:
        """Where the cluster keeps it."""
        key = hashlib.sha256(self._grid.registry_url.encode()).hexdigest()[:12]
        return self.control / f"registry-{key}.json"

    def types(self, *arguments: str, answers: dict[str, str]) -> int:
        """Run the client at a terminal, with a careless umask, and answer what it asks; return its exit code."""
        environment = {**os.environ, **self._grid.client_variables, "PYTHONPATH": str(_ROOT)}
        environment["GRIDFERRY_HOME"] = str(self.home)
        careless = ["sh", "-c", 'umask 0; exec "$@"', "sh", *self._grid.client_argv(*arguments)]
        with Terminal(careless, self._folder, environment) as terminal:
            for question, answer in answers.items():
                terminal.answer(question, answer)
            code = terminal.end()
            self.printed += terminal.shown
        return code

    def words(self) -> dict[str, bytes]:
        """Each secret, and the form in which a password travels."""
        basic = base64.b64encode(f"{_NAME}:{self.password}".encode()).decode()
        found = {"password": self.password, "passphrase": self.passphrase, "code": self.code, "token": self.token}
        found |= {"basic": basic, "report token": self.report_token}
        return {name: word.encode() for name, word in found.items()}


@contextlib.contextmanager
def _watching_processes(secrets: list[str]) -> Iterator[set[str]]:
    """Look at the command line and the environment of every process, all the time; yield those with a secret."""
    found: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        content = (process / name).read_bytes()
                        if any(secret.encode() in content for secret in secrets):
                            found.add(f"{name}: {(process / 'cmdline').read_bytes()[:200]!r}")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _files_with(secrets: dict[str, bytes], *folders: Path) -> list[str]:
    """Every file below folders that holds a secret, with the secret's name."""
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    assert files
    contents = {path: path.read_bytes() for path in files}
    return [f"{path}: {name}" for path, held in contents.items() for name, word in secrets.items() if word in held]


def test_planted_secrets_are_found_nowhere(grid: Grid, tmp_path: Path) -> None:
    """Password, tokens, passphrase and code of a real submission, of one that fails, and of a crash."""
    person = Planted(grid, tmp_path)
    host_key = paramiko.RSAKey.generate(2048)
    job_file = write_job(tmp_path, execution=["env", "echo done > out.txt"], output=["out.txt"])
    settings = [*grid.job_settings(private_key=str(person.key), user_mail=f"{_NAME}@example.org"), "--fresh"]
    watched = [person.password, person.passphrase, person.code]
    with two_factor_server(host_key, person.code) as port, _watching_processes(watched) as processes:
        assert person.types("login", "--account", _NAME, answers={"Password of": person.password}) == 0, (
            person.printed
        )
        watched.append(person.token)
        passphrase = {f"Passphrase of {person.key}": person.passphrase}
        assert person.types("-u", str(job_file), *settings, "--wait", answers=passphrase) == 0, person.printed
        watched.append(person.report_token)
        job_uuid = UUID.findall(person.printed)[0]
        assert person.types("-r", job_uuid, answers=passphrase) == 0, person.printed

        document = json.loads(job_file.read_text())
        job_file.write_text(json.dumps({**document, "passphrase": person.passphrase}))
        grid.register(grid.info, name="guarded", hostname="127.0.0.1", port=port, host_keys=[])
        known = f"[127.0.0.1]:{port} ssh-rsa {host_key.get_base64()}\n"
        with (person.home / "known_hosts").open("a") as stream:
            stream.write(known)
        guarded = [*settings, "--set", "destination_cluster=guarded"]
        try:
            assert person.types("-u", str(job_file), *guarded, answers={"Your name": "me", "Code": person.code}) != 0
        finally:
            url = f"{grid.registry_url}/clusters/guarded"
            requests.delete(url, headers={"Authorization": f"Bearer {grid.token}"}, timeout=10)
        assert "Code" in person.printed

        (person.home / "jobs" / "broken.json").mkdir(mode=0o700)  # nobody foresaw a folder there
        assert person.types("-u", str(job_file), *settings[:-1], answers={}) == 1, person.printed
        assert "This is a bug" in person.printed
        assert list((person.home / "crashes").iterdir())
        wait_until(lambda: _is_done(grid, person.token, job_uuid), what="the job's end")
        wait_for_mail(grid, job_uuid, "COMPLETED")
        assert processes == set()
        with subprocess.Popen(["sleep", "60"], env={"PLANTED": person.password}) as careless:  # it would be seen
            wait_until(lambda: processes, what="the sight of it")
            careless.kill()
    secrets = person.words()
    assert [name for name, word in secrets.items() if word.decode() in person.printed] == []
    meant = [f"{job_file}: passphrase"]  # as the person wrote it; then the places of the tokens
    meant += [f"{person.home / 'token'}: token", f"{person.credentials}: report token"]
    there = Path(job_folder(grid, job_uuid))
    assert sorted(_files_with(secrets, tmp_path, grid.folder, person.control, there)) == sorted(meant)
    kept = [path for folder in (person.home, person.control, there) for path in (folder, *folder.rglob("*"))]
    assert [path for path in kept if not path.is_symlink() and path.stat().st_mode & 0o077] == []


def _is_done(grid: Grid, token: str, job_uuid: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    job = requests.get(f"{grid.registry_url}/jobs/{job_uuid}", headers=headers, timeout=10).json()
    return bool(job["state"] == "DONE")
