#!/bin/sh
# The smallest module in shell: says something, passes the job file on.
echo "job $GRIDFERRY_JOB_UUID" >&2
cat
