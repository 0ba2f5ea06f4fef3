#!/bin/sh
# Prints running, success or failed for the number of a job. A job that has ended is known to qacct after some seconds.
for wait in 0 5 20; do
    sleep $wait
    if qstat -j "$1" >/dev/null 2>&1; then echo running; exit; fi
    about=$(qacct -j "$1" 2>/dev/null) || continue
    if echo "$about" | grep -Eq '^exit_status +0' && echo "$about" | grep -Eq '^failed +0'; then
        echo success
    else
        echo failed
    fi
    exit
done
echo failed # Grid Engine does not know it
