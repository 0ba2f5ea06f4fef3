# For the status scripts of the profiles: what to say of a job that its scheduler does not know.
# A file in logs/ has the time since when. For ten minutes the job counts as running: schedulers learn of a new job
# and forget an ended one with some delay. A scheduler that does not answer is no such case: its jobs are running.

forget_unknown() { # SCHEDULER JOB: it is known again
    rm -f "logs/$1/$2.unknown"
}

tell_unknown() { # SCHEDULER JOB: print running, and failed after ten minutes
    mkdir -p "logs/$1"
    since=logs/$1/$2.unknown
    [ -e "$since" ] || : >"$since"
    if [ -n "$(find "$since" -mmin +10)" ]; then
        rm -f "$since"
        echo failed
    else
        echo running
    fi
}
