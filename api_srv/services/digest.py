"""The end of a campaign, told by one mail for all of its parts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from api_srv import clock
from api_srv.services import notify, progress
from api_srv.services.job_document import user_input
from project.core.answers import DIGEST
from project.core.slurm.ids import parse_task_list
from project.core.slurm.states import aggregate, parse_state
from project.core.states import GatewayState, is_final, is_success

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from api_srv.dao.jobs import JobStore
    from api_srv.dao.ports import Document

_NAMED_FAILURES = 20
_NAMED_PROBLEMS = 10


class Digests:
    """Notes the end of campaigns."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def conclude(self, job: Document | None) -> None:
        """Note the end of a job's campaign, once, if nothing is left to do for any of its parts.

        Asked again, which a cluster that got no answer does, it changes nothing. Parts that are added later end in a
        digest of their own.
        """
        if job is None or not job.get("campaign") or not is_final(job["state"]):
            return
        parts = self._store.of_campaign(job["owner"], job["campaign"])
        if not parts or not all(is_final(part["state"]) for part in parts):
            return
        body = self._body(parts)
        entry = {"kind": DIGEST, "at": clock.now(), "body": body}
        key = f"{DIGEST}-{len(parts)}"

        def noted(first: Document) -> bool:
            if key in first["recent_keys"]:
                return False
            mails = notify.mails_digest(user_input(first), well=is_success(body["state"]))
            progress.add_event(self._store, first, key, entry, mails=mails)
            first["recent_keys"] = [*first["recent_keys"], key]
            return True

        self._store.change(job["campaign"], noted)

    def _body(self, parts: Sequence[Document]) -> dict[str, Any]:
        """Return what the mail says; a task that ran again counts as it came out last."""
        tasks = {index: row for part in parts for index, row in self._tasks(part)}
        states = [parse_state(str(row["State"])) for row in tasks.values()]
        refused = any(part["state"] == GatewayState.ERROR for part in parts)
        worst = GatewayState.ERROR.value if refused else aggregate(states, len(states)) or GatewayState.ERROR.value
        failed = [(index, row) for index, row in sorted(tasks.items()) if not _is_well(row)]
        return {
            "state": worst,
            "message": f"{len(tasks) - len(failed)} of {len(tasks)} tasks ended well",
            "tasks": len(tasks),
            "parts": len(parts),
            "counts": dict(Counter(state.word for state in states).most_common()),
            "failed": [[index, row["State"], row.get("ExitCode", "")] for index, row in failed[:_NAMED_FAILURES]],
            "more_failed": max(0, len(failed) - _NAMED_FAILURES),
            "problems": list(dict.fromkeys(self._problems(parts)))[:_NAMED_PROBLEMS],
        }

    def _tasks(self, part: Document) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield each task's number in the campaign with its row; without one it stands where the part does."""
        stored = self._store.tasks(part["job_uuid"])
        rows = {task["_id"].rpartition(":")[2]: json.loads(task["row"]) for task in stored}
        for place, index in enumerate(parse_task_list(part["indexes"]), 1):
            yield index, {"State": part["state"], **rows.get(str(place), {})}

    def _problems(self, parts: Sequence[Document]) -> Iterator[str]:
        for part in parts:
            for event in self._store.events(part["job_uuid"]):
                body = json.loads(event["body"])
                if event["kind"] == "notice" and body.get("severity") == "error":
                    yield str(body.get("message"))
                elif event["kind"] == "state" and body.get("state") == GatewayState.ERROR:
                    yield str(body.get("reason"))


def _is_well(row: Mapping[str, Any]) -> bool:
    return is_success(parse_state(str(row["State"])).word)
