"""The smallest module in Python: reads the job file, says something, passes it on."""

import json
import sys

user_input = json.load(sys.stdin)
print("keys:", ", ".join(sorted(user_input)), file=sys.stderr)
print(json.dumps(user_input))
