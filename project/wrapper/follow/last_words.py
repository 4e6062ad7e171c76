"""Which failed tasks of an array are told with the end of their standard error: some of each kind of failure."""

from typing import Callable, Dict, List, Mapping, Tuple

from project.core.slurm.states import parse_state
from project.core.states import is_success

#: Enough to see whether tasks that ended alike did so for the same reason, and little enough for one request.
_MOST_KINDS, _MOST_OF_A_KIND = 5, 4


def last_words(tasks: Mapping[str, Mapping[str, str]], tail_of: Callable[[Mapping[str, str]], str]) -> Dict[str, str]:
    """Return by task what it wrote last.

    Args:
        tasks: of an array that has ended, each as its row.
        tail_of: given a row returns the end of that task's standard error.
    """
    kinds: Dict[Tuple[str, str], List[str]] = {}
    for task, row in tasks.items():
        word = parse_state(row["State"])
        if task and word.ended and not is_success(word.word):
            kinds.setdefault((word.word, row.get("ExitCode", "")), []).append(task)
    chosen = [task for alike in list(kinds.values())[:_MOST_KINDS] for task in alike[:_MOST_OF_A_KIND]]
    said = {task: tail_of(tasks[task]) for task in chosen}
    return {task: text for task, text in said.items() if text}
