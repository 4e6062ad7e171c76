"""The collections, and the paths by which each may be filtered and sorted.

Every uniqueness rule is carried by `_id`, the one key both databases enforce:

    clusters   name                        the cluster's document, without its status
    statuses   name                        the newest status of a cluster
    users      name                        accounts
    tokens     SHA-256 of the token        user tokens and report tokens
    logins     SHA-256 of the cookie's key logins on the web page that have not ended
    attempts   what is being counted       failed logins
    epochs     user/cluster                highest follower epoch seen
    jobs       job uuid                    small; what grows lives in the next two
    tasks      job uuid:task               last known sacct row of each array task
    starts     job uuid                    when a job whose start was foretold began
    events     job uuid:key                timeline, module results, and the mails that are due
"""

from __future__ import annotations

INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "clusters": (),
    "statuses": (),
    "users": (),
    "tokens": (("user",), ("expires_at",)),
    "logins": (("user",), ("expires_at",)),
    "attempts": (("expires_at",),),
    "epochs": (),
    "jobs": (
        ("owner", "sort"),
        ("owner", "state", "sort"),
        ("owner", "cluster", "sort"),
        ("owner", "outcome", "sort"),
        ("owner", "ended", "sort"),
        ("owner", "label", "sort"),
        ("owner", "resubmission_of", "sort"),
        ("owner", "fetched_at", "sort"),
        ("owner", "campaign", "sort"),
    ),
    "tasks": (("job_uuid", "sort"),),
    "starts": (("cluster", "at"),),
    "events": (("job_uuid", "sort"), ("mail_state", "mail_due_at"), ("owner", "mail_sent_at")),
}

_PATHS = {collection: {"_id"}.union(*(set(index) for index in indexes)) for collection, indexes in INDEXES.items()}


def known_path(collection: str, path: str) -> str:
    """Return `path` if the collection may be filtered or sorted by it.

    Raises:
        KeyError: it may not; field names never come from a caller, so this is a mistake of ours.
    """
    if path not in _PATHS[collection]:
        raise KeyError(f"{collection} is not filtered by {path!r}")
    return path
