#!/bin/sh
# Prints running, success or failed for the number of a job. A job that has ended is known to qacct after some seconds.
. "${0%/*}/../unknown.sh"

if said=$(qstat -j "$1" 2>&1); then
    forget_unknown sge "$1"
    echo running
elif about=$(qacct -j "$1" 2>/dev/null); then
    forget_unknown sge "$1"
    if echo "$about" | grep -Eq '^exit_status +0' && echo "$about" | grep -Eq '^failed +0'; then
        echo success
    else
        echo failed
    fi
else
    case $said in
        *"do not exist"*) tell_unknown sge "$1" ;;
        *) forget_unknown sge "$1" && echo running ;; # Grid Engine does not answer
    esac
fi
