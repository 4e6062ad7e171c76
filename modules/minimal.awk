# The smallest module in awk: passes the job file on, says how many lines it had.
BEGIN { ARGC = 1 } # it comes on standard input and as the last argument; awk would take that for a file's name
{ print }
END { print NR " lines" > "/dev/stderr" }
