#!/usr/bin/env bash

#SBATCH -J tandem-slurm-0
#SBATCH -n 1
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH -t 24:00:00
#SBATCH --output=/shared/tandem/engine/logs/%x-%j.log
#SBATCH --no-requeue

/opt/tandem/.venv/bin/python -m experiments.engine.crew tls://CONTROLLER:PORT --name slurm-0 --nthreads 4 --memory-limit 8.00GiB --death-timeout 60 --workers 1 --workers-per-gpu 0 --threads 4 --seconds $((86400-SECONDS)) --tls-ca-file /shared/tandem/engine/keys/ca_file.pem --tls-cert /shared/tandem/engine/keys/cert.pem --tls-key /shared/tandem/engine/keys/key.pem
