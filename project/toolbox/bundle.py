"""Lists what a job was made of, as it was uploaded, and the script that came of it."""

import os
from typing import List

from project.core.messages import Document
from project.toolbox.manifest import complete, describe
from project.wrapper.job import Job


def parts_of(job: Job) -> List[Document]:
    """Return name, path, size and SHA-256 of the parcel, the script and a job that is a single file."""
    places = {"parcel.tar.gz": job.paths.parcel, "job.sbatch": job.paths.script}
    single = os.path.basename(str(job.sent["user_input"].get("job") or ""))
    if single and not job.sent.get("source"):
        places[f"work/{single}"] = os.path.join(job.paths.work, single)
    return [complete(describe(name, path)) for name, path in places.items() if os.path.isfile(path)]
