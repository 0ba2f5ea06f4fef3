# The environment of all rules, for Snakemake's --software-deployment-method apptainer and for docker run:
#     docker build --tag rehearsal .
#     apptainer build rehearsal.sif docker-daemon://rehearsal:latest
FROM python:3.11-slim

# the programs that make reads
RUN apt-get update && apt-get install --yes --no-install-recommends dwgsim minimap2 && rm -rf /var/lib/apt/lists/*
WORKDIR /rehearsal
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

ENTRYPOINT ["snakemake"]
