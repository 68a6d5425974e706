#!/usr/bin/env bash
# Runs an evaluation as a Slurm job array: N shards that run independently, and a job that merges them at the end.
#
#   Tools/cluster/slurm-array.sh N DIR EVALUATION MODEL DATA [OPTION]...      (N from 2 up; not --output, --shard, --threads)
#   Tools/cluster/slurm-array.sh 16 pointing-voc pointing vgg16 VOC2012 --classes classes.json --method lrp --method clrp1
#
# Repeat the same command to continue shards that were canceled or ran out of time; complete shards only load the model. Tasks that Slurm
# requeues continue automatically. Needs `relevance` on the PATH or in RELEVANCE, and DIR on a file system that all nodes share.
#SBATCH --job-name=relevance
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=1G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=relevance-%A-%a.log
set -euo pipefail

step=submit
case ${1-} in shard | merge) step=$1 && shift ;; esac
if [ $# -lt 5 ]; then
    echo "slurm-array.sh: expected N DIR EVALUATION MODEL DATA [OPTION]..., found $# arguments" >&2
    exit 64
fi
shards=$1 folder=$2
shift 2
relevance=${RELEVANCE:-relevance}

case $step in
submit)
    # Slurm runs a copy of this script in the current folder, so relative paths remain valid.
    array=$(sbatch --parsable --array="1-$shards" "$0" shard "$shards" "$folder" "$@")
    array=${array%%;*} # without the name of the cluster
    merge=$(sbatch --parsable --dependency="afterok:$array" --kill-on-invalid-dep=yes --cpus-per-task=1 \
        "$0" merge "$shards" "$folder" "$@")
    echo "$array: $shards shards; ${merge%%;*}: merges them into $folder"
    ;;
shard)
    # N is an argument and not SLURM_ARRAY_TASK_COUNT, so that `sbatch --array=3,7 slurm-array.sh shard N DIR ...` runs only these shards.
    exec "$relevance" evaluate "$@" --output "$folder" --resume \
        --shard "$SLURM_ARRAY_TASK_ID/$shards" --threads "${SLURM_CPUS_PER_TASK:-1}"
    ;;
merge)
    journals=()
    for ((shard = 1; shard <= shards; shard++)); do journals+=("$folder/journal-$shard-of-$shards.jsonl"); done
    resamples=() # the only option that affects the report alone
    while [ $# -gt 0 ]; do
        case $1 in --resamples) resamples=("$1" "${2-}") ;; --resamples=*) resamples=("$1") ;; esac
        shift
    done
    exec "$relevance" evaluate merge "${journals[@]}" --output "$folder" "${resamples[@]}"
    ;;
esac
