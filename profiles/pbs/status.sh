#!/bin/sh
# Prints running, success or failed for the number of a job. -x shows jobs that have ended.
for wait in 0 5 20; do
    sleep $wait
    about=$(qstat -x -f "$1" 2>/dev/null) || continue
    case $about in
        *"job_state = F"*) ;;
        *) echo running; exit ;;
    esac
    case $about in
        *"Exit_status = 0"*) echo success; exit ;;
        *) echo failed; exit ;;
    esac
done
echo failed # PBS does not know it
