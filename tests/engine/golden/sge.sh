#!/usr/bin/env bash

#$ -N tandem-sge-0
#$ -q gpu
#$ -P physics
#$ -l h_rt=02:30:00
#$ -cwd
#$ -j y
#$ -o /shared/tandem/engine/logs/
#$ -l gpu=2
module load cuda/12
source /opt/env.sh
/opt/tandem/.venv/bin/python -m experiments.engine.crew tls://CONTROLLER:PORT --name sge-0 --nthreads 12 --memory-limit 24.00GiB --death-timeout 60 --workers 4 --workers-per-gpu 2 --threads 3 --seconds $((9000-SECONDS)) --tls-ca-file /shared/tandem/engine/keys/ca_file.pem --tls-cert /shared/tandem/engine/keys/cert.pem --tls-key /shared/tandem/engine/keys/key.pem --local-directory /local/scratch
