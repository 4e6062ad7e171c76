"""The images: made once for each Debian generation, kept by the engine, made again only when their files change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.docker.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "slurm-docker"
#: Debian's generations, oldest first, each with the Slurm it has.
GENERATIONS = {"bullseye": "20.11", "bookworm": "22.05", "trixie": "24.11", "forky": "26.05"}
_BASE_LIMIT_S = 900.0
_BUILD_LIMIT_S = 1800.0


def provide_base(engine: Engine, image: str) -> None:
    """Pull a public base image, or make its stand-in.

    Raises:
        EngineError: neither works.
    """
    with engine.alone(image):
        engine.checked([str(FOLDER / "base-image.sh"), image], limit_s=_BASE_LIMIT_S)


def build_slurm(engine: Engine, suite: str) -> None:
    """Provide the image of one generation.

    Raises:
        EngineError: it cannot be made.
    """
    provide_base(engine, f"debian:{suite}-slim")
    tag = f"gridferry-slurm:{suite}"
    argv = ("build", "--quiet", f"--tag={tag}", f"--build-arg=SUITE={suite}", str(FOLDER))
    with engine.alone(tag):
        engine.docker(*argv, limit_s=_BUILD_LIMIT_S)


def build_registry(engine: Engine) -> None:
    """Provide the registry's image, of this very tree, under the name that compose.yaml uses.

    Raises:
        EngineError: it cannot be made.
    """
    provide_base(engine, "python:3.11-slim")
    with engine.alone("gridferry-registry"):
        engine.docker("build", "--quiet", "--tag=gridferry-registry", str(ROOT), limit_s=_BUILD_LIMIT_S)
