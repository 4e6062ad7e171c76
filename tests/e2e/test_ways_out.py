"""What only several hosts can show: login nodes from which no way, or only a proxy, leads to the registry."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

import pytest

from demo.docker.site import DockerSite
from demo.relay import Relay
from tests.contract.certificates import Authority
from tests.e2e.far_side import (
    end_followers,
    fetched_or_none,
    mailed_states,
    slurm,
    submit,
    wait_for_mail,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from demo.grid import Grid

pytestmark = [pytest.mark.slurm, pytest.mark.needs("several hosts")]
_MAILED = ["PENDING", "RUNNING", "COMPLETED"]


@pytest.fixture
def site(grid: Grid) -> Iterator[DockerSite]:
    """The clusters; from the login node of the first no way leads to the registry, and nothing reports elsewhere."""
    assert isinstance(grid.site, DockerSite)
    end_followers(grid)
    slurm(grid, "ip", "route", "add", "blackhole", f"{grid.site.registry_host}/32")
    yield grid.site
    slurm(grid, "ip", "route", "del", "blackhole", f"{grid.site.registry_host}/32")
    grid.register(grid.info)


@pytest.mark.usefixtures("site")
def test_registry_out_of_reach_of_the_clusters_network_is_relayed(grid: Grid, tmp_path: Path) -> None:
    """No route leads from the login node to the registry: fetching the results brings the reports along."""
    grid.register(grid.info, follow="daemon")
    job_uuid = submit(grid, tmp_path, execution=["echo 1 > out.txt"], output=["out.txt"])
    done = wait_until(lambda: fetched_or_none(grid, job_uuid, tmp_path), what="the results")
    assert "relayed" in done.stderr
    wait_for_mail(grid, job_uuid, "COMPLETED")
    assert mailed_states(grid, job_uuid) == _MAILED


@contextlib.contextmanager
def _login_variables(grid: Grid, variables: Mapping[str, str]) -> Iterator[None]:
    """Let every login of the user have these variables, as sites and users do: by the shell's start-up file."""
    bashrc = str(grid.info.job_root / ".bashrc")
    exports = "".join(f"export {name}={value}\\n" for name, value in variables.items())
    slurm(grid, "sh", "-c", f"cp -p {bashrc} {bashrc}.kept && sed -i '1i {exports}' {bashrc}")
    try:
        yield
    finally:
        slurm(grid, "mv", f"{bashrc}.kept", bashrc)


def test_registry_is_reached_through_a_proxy(grid: Grid, tmp_path: Path, site: DockerSite) -> None:
    """Only the site's HTTP proxy leads to the registry: it is asked for the registry, and all mails come by it."""
    authority = Authority.made_in(tmp_path)
    certificate = authority.certificate(site.registry_host)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate.cert, certificate.key)
    trusted = f"{site.bring(_folder_of(authority, tmp_path))}/authority.pem"
    front, proxy = Relay(site.registry_host, (site.registry_host, grid.registry_port), tls), Relay(site.gateway)
    with front.started() as tls_port, proxy.started() as proxy_port:
        variables = {"https_proxy": f"http://{site.gateway}:{proxy_port}", "SSL_CERT_FILE": trusted}
        address = f"{site.registry_host}:{tls_port}"
        grid.register(grid.info, follow="daemon", registry_url=f"https://{address}")
        with _login_variables(grid, variables):
            job_uuid = submit(grid, tmp_path, execution=["sleep 2"])
            wait_for_mail(grid, job_uuid, "COMPLETED")
        assert mailed_states(grid, job_uuid) == _MAILED
        assert set(proxy.asked) == {address}


def _folder_of(authority: Authority, tmp_path: Path) -> Path:
    """A folder with the authority's certificate alone."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    (folder / authority.cert.name).write_bytes(authority.cert.read_bytes())
    return folder
