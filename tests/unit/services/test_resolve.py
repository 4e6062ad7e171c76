"""From the beginning of a UUID to the job."""

from __future__ import annotations

import pytest

from project.core.errors import RegistryUnavailable, UsageError
from project.services.resolve import Resolver
from tests.unit.services.ports import UUID, FakeRecords, FakeRegistry

_OTHER = "3f2b9999-0000-4000-8000-000000000000"


def _resolver(*listed: str, record: bool = False) -> tuple[Resolver, FakeRegistry]:
    registry = FakeRegistry()
    registry.listed = [{"job_uuid": job_uuid, "job_name": "sweep"} for job_uuid in listed]
    return Resolver(registry=registry, records=FakeRecords({} if record else None)), registry


def test_a_whole_uuid_is_taken_as_it_is() -> None:
    """In any case and with spaces around it; nobody is asked."""
    resolver, registry = _resolver()
    registry.listing_error = RegistryUnavailable("away")
    assert resolver.find(f" {UUID.upper()} ") == UUID


@pytest.mark.parametrize("beginning", ["3f2b", "3F2B1C0E", "3f2b1c0e-0000-4"])
def test_a_unique_beginning_is_enough(beginning: str) -> None:
    """Whether the registry knows the job, this machine, or both."""
    for resolver in (_resolver(UUID)[0], _resolver(record=True)[0], _resolver(UUID, record=True)[0]):
        assert resolver.find_all([beginning, UUID]) == [UUID]


def test_the_beginning_of_several_names_them() -> None:
    """One known here and one known there are two."""
    resolver, _ = _resolver(_OTHER, record=True)
    with pytest.raises(UsageError, match="the beginning of 2 UUIDs") as caught:
        resolver.find("3f2b")
    assert caught.value.detail == f"{UUID}  \n{_OTHER}  sweep"
    assert resolver.find("3f2b9") == _OTHER


def test_nobodys_beginning_is_told() -> None:
    """With the command that shows what there is."""
    with pytest.raises(UsageError, match="no job of yours begins with 3f2b") as caught:
        _resolver()[0].find("3f2b")
    assert "list" in caught.value.remedy


@pytest.mark.parametrize("text", ["", "3f2", "sweep", "3f2b1c0e0", "../3f2b", "3f2b*"])
def test_what_is_no_uuid_is_refused(text: str) -> None:
    """Without asking anybody."""
    with pytest.raises(UsageError, match="is no job's UUID"):
        _resolver(UUID)[0].find(text)


def test_without_the_registry_what_was_submitted_here_is_found() -> None:
    """What is not known here cannot be ruled out then."""
    resolver, registry = _resolver(record=True)
    registry.listing_error = RegistryUnavailable("away")
    assert resolver.find("3f2b") == UUID
    with pytest.raises(RegistryUnavailable):
        resolver.find("9999")
