#!/bin/sh
# Submits a job with bsub, and prints its number alone: bsub says "Job <4711> is submitted to queue <normal>."
set -e
said=$(bsub "$@")
echo "$said" | sed -n 's/^Job <\([0-9]*\)>.*/\1/p'
