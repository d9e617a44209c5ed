#!/usr/bin/env bash

#PBS -N tandem-pbs-0
#PBS -q gpu
#PBS -A physics
#PBS -l select=1:ncpus=12:mem=24GB:ngpus=2
#PBS -l walltime=02:30:00
#PBS -j oe
#PBS -o /shared/tandem/engine/logs/
module load cuda/12
source /opt/env.sh
/opt/tandem/.venv/bin/python -m experiments.engine.crew tls://CONTROLLER:PORT --name pbs-0 --nthreads 12 --memory-limit 24.00GiB --death-timeout 60 --workers 4 --workers-per-gpu 2 --threads 3 --seconds $((9000-SECONDS)) --tls-ca-file /shared/tandem/engine/keys/ca_file.pem --tls-cert /shared/tandem/engine/keys/cert.pem --tls-key /shared/tandem/engine/keys/key.pem --local-directory /local/scratch
