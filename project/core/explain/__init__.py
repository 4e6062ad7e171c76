"""Why a job is where it is: facts from its document, one table of causes, one sentence and its remedy."""
