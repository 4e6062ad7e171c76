"""Work in threads whose ends, good or bad, are met where somebody waits for them."""

import threading
from typing import Any, Callable, Dict, List, Sequence, TypeVar

Result = TypeVar("Result")


def end_of(work: Callable[[], Result]) -> Callable[[], Result]:
    """Do work; return what gives its result, or raises its error, wherever that is called."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where somebody waits for it
        return _raiser(error)
    return lambda: result


def together(works: Sequence[Callable[[], Any]]) -> List[Any]:
    """Do several things at the same time; return their results in order, or raise the first one's error."""
    ends: Dict[int, Callable[[], Any]] = {}

    def do(number: int) -> None:
        ends[number] = end_of(works[number])

    threads = [threading.Thread(target=do, args=(number,), daemon=True) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [ends[number]() for number in range(len(works))]


def _raiser(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail
