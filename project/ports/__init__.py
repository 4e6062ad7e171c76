"""What the services need from the outside world, as protocols; adapters provide it, tests may too."""

from project.ports.cluster import Connector, FarProgram, Login, LoginNode, LogText, RemoteFile, Shell
from project.ports.here import Packer, RecordStore, Repositories, Stage, StagingModules
from project.ports.person import Clock, Prompter, View
from project.ports.registry import Registry

__all__ = [
    "Clock",
    "Connector",
    "FarProgram",
    "LogText",
    "Login",
    "LoginNode",
    "Packer",
    "Prompter",
    "RecordStore",
    "Registry",
    "RemoteFile",
    "Repositories",
    "Shell",
    "Stage",
    "StagingModules",
    "View",
]
