#!/usr/bin/env bash

#BSUB -J tandem-lsf-0
#BSUB -q gpu
#BSUB -P "physics"
#BSUB -n 12
#BSUB -R "span[hosts=1]"
#BSUB -M 25769804
#BSUB -W 02:30
#BSUB -o /shared/tandem/engine/logs/%J.log
#BSUB -gpu num=2
module load cuda/12
source /opt/env.sh
/opt/tandem/.venv/bin/python -m experiments.engine.crew tls://CONTROLLER:PORT --name lsf-0 --nthreads 12 --memory-limit 24.00GiB --death-timeout 60 --workers 4 --workers-per-gpu 2 --threads 3 --seconds $((9000-SECONDS)) --tls-ca-file /shared/tandem/engine/keys/ca_file.pem --tls-cert /shared/tandem/engine/keys/cert.pem --tls-key /shared/tandem/engine/keys/key.pem --local-directory /local/scratch
