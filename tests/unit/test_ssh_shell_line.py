"""Scripts as one word, passed on by real login shells."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from project.adapters.ssh.shell_line import shell_line

_SCRIPTS = {
    "quotes": """printf '%s' "it's \\"so\\" \\\\ \\n" 'a"b'""",
    "history": "printf '%s' 'x!y!!z!$ ^a^b'",
    "newlines": "for x in 1 2; do\n\tprintf '%s\n' \"$x\"\ndone",
    "expansion": "HOME=/h; printf '%s' \"$HOME `echo sub` $(echo sub) $((1+1)) ~ *\"",
    "bytes": "printf '%s' 'é€ latin-\udce9 %s %% {a,b} [x] <y> | & ; # 100%'",
    "input": "cat",
}


@pytest.mark.parametrize("login_shell", ["sh", "bash", "dash", "tcsh", "fish", "zsh", "ksh"])
@pytest.mark.parametrize("name", _SCRIPTS)
def test_any_login_shell_passes_a_script_on(name: str, login_shell: str) -> None:
    """What comes out is what `/bin/sh` makes of the script by itself, and its input stays its own."""
    shell = shutil.which(login_shell)
    if not shell:
        pytest.skip(f"{login_shell} is not installed")
    script = _SCRIPTS[name].encode(errors="surrogateescape")
    expected = subprocess.run(["/bin/sh", "-c", script], input=b"input", check=True, capture_output=True)
    line = shell_line(_SCRIPTS[name])
    result = subprocess.run([shell, "-c", line], input=b"input", check=True, capture_output=True)
    assert result.stdout == expected.stdout
    assert expected.stdout
