#!/bin/sh
# Prints running, success or failed for the number of a job. A job that has ended is known to the server's history, if
# it keeps one (job_history_enable), and by the status that the job itself has noted (submit.sh).
. "${0%/*}/../unknown.sh"

noted=$(cat "logs/pbs/$1.ended" 2>/dev/null)
if said=$(qstat -f "$1" 2>&1); then
    forget_unknown pbs "$1"
    echo running
    exit
fi
about=$(qstat -x -f "$1" 2>/dev/null)
case $about in
    *"job_state = F"*"Exit_status = 0"*) noted=0 ;;
    *"job_state = F"*) noted=1 ;;
esac
case $noted,$said in
    0,*) forget_unknown pbs "$1" && echo success ;;
    [1-9]*,*) forget_unknown pbs "$1" && echo failed ;;
    *"Unknown Job Id"* | *"has finished"*) tell_unknown pbs "$1" ;;
    *) forget_unknown pbs "$1" && echo running ;; # PBS does not answer
esac
