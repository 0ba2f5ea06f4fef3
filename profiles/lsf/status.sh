#!/bin/sh
# Prints running, success or failed for the number of a job.
. "${0%/*}/../unknown.sh"

state=$(bjobs -noheader -o stat "$1" 2>/dev/null)
if [ -z "$state" ] && bjobs "$1" 2>&1 | grep -q 'is not found'; then
    tell_unknown lsf "$1"
    exit
fi
forget_unknown lsf "$1"
case $state in
    DONE) echo success ;;
    EXIT | ZOMBI) echo failed ;;
    *) echo running ;; # also when LSF does not answer
esac
