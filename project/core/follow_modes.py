"""How a cluster's follower is kept alive after the login that started it; a cluster's `follow` is one of these."""

#: Whatever is proven there; until then DAEMON, and SLURM behind it.
AUTO = "auto"
#: A process of its own session.
DAEMON = "daemon"
#: A service of the user's own systemd (`systemd-run --user`), where that lives on without a login.
SYSTEMD = "systemd"
#: DAEMON, and a tiny job behind each job that takes over where nothing outlives a login.
SLURM = "slurm"

FOLLOW_MODES = (AUTO, DAEMON, SYSTEMD, SLURM)
