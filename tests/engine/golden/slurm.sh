#!/usr/bin/env bash

#SBATCH -J tandem-slurm-0
#SBATCH -p gpu
#SBATCH -A physics
#SBATCH -n 1
#SBATCH --cpus-per-task=12
#SBATCH --mem=24G
#SBATCH -t 02:30:00
#SBATCH --output=/shared/tandem/engine/logs/%x-%j.log
#SBATCH --no-requeue
#SBATCH --gres=gpu:2
#SBATCH --qos=long
#SBATCH --constraint=h100
#SBATCH --exclude=n7
module load cuda/12
source /opt/env.sh
/opt/tandem/.venv/bin/python -m experiments.engine.crew tls://CONTROLLER:PORT --name slurm-0 --nthreads 12 --memory-limit 24.00GiB --death-timeout 60 --workers 4 --workers-per-gpu 2 --threads 3 --seconds $((9000-SECONDS)) --tls-ca-file /shared/tandem/engine/keys/ca_file.pem --tls-cert /shared/tandem/engine/keys/cert.pem --tls-key /shared/tandem/engine/keys/key.pem --local-directory /local/scratch
