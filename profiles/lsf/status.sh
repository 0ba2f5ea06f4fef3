#!/bin/sh
# Prints running, success or failed for the number of a job. LSF knows a new job after some seconds.
for wait in 0 5 20; do
    sleep $wait
    case $(bjobs -noheader -o stat "$1" 2>/dev/null) in
        DONE) echo success; exit ;;
        EXIT | ZOMBI) echo failed; exit ;;
        ?*) echo running; exit ;;
    esac
done
echo failed # LSF does not know it
