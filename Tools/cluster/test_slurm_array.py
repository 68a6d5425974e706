#!/usr/bin/env python3
"""Tests slurm-array.sh with a replacement for sbatch that runs jobs immediately and kills the first run of the first task, as preemption does."""
import os
import shlex
import subprocess
import unittest

from trial import EVALUATION, HERE, TOOL, Trial

SCRIPT = HERE / "slurm-array.sh"
# Runs the tasks in descending order, and the merge after all have succeeded.
SBATCH = """#!/bin/bash
set -eu
echo "$*" >>"$CALLS"
array=''
while case $1 in -*) true ;; *) false ;; esac; do
    case $1 in --array=*) array=${1#*=} ;; esac
    shift
done
export SLURM_JOB_ID=7 SLURM_CPUS_PER_TASK=1
if [ -z "$array" ]; then
    bash "$@" >"$CALLS.report"
    echo 8
    exit
fi
{ timeout -s KILL "$PREEMPT_SECONDS" env SLURM_ARRAY_TASK_ID=1 bash "$@" && echo 'not preempted' >>"$CALLS"; } >/dev/null 2>&1
for ((task = ${array#*-}; task >= ${array%-*}; task--)); do SLURM_ARRAY_TASK_ID=$task bash "$@" >/dev/null; done
echo '7;cluster'
"""


class SlurmArray(Trial):
    def submit(self, *words):
        programs, self.calls = self.folder / "bin", self.folder / f"{self.output.name}.calls"
        programs.mkdir(exist_ok=True)
        (programs / "sbatch").write_text(SBATCH)
        (programs / "sbatch").chmod(0o755)
        environment = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}", "RELEVANCE": TOOL, "CALLS": str(self.calls), "PREEMPT_SECONDS": "0.7"}
        return subprocess.run([SCRIPT, *words], env=environment, capture_output=True, text=True, check=False)

    def test_writes_the_same_as_a_direct_run(self):
        ended = self.submit("3", self.output, *EVALUATION)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(ended.stdout, f"7: 3 shards; 8: merges them into {self.output}\n")
        self.assert_same_bytes()
        self.assertEqual(self.calls.with_suffix(".calls.report").read_text(), self.report)
        array, merge = self.calls.read_text().splitlines()
        words = f"3 {shlex.join([str(self.output), *EVALUATION])}"
        self.assertEqual(array, f"--parsable --array=1-3 {SCRIPT} shard {words}")
        self.assertIn("--dependency=afterok:7 --kill-on-invalid-dep=yes", merge)

    def test_passes_the_number_of_resamples_to_the_merge(self):
        self.assertEqual(self.submit("2", self.output, *EVALUATION, "--resamples", "20").returncode, 0)
        self.assertEqual((self.output / "journal.jsonl").read_bytes(), (self.direct / "journal.jsonl").read_bytes())
        self.assertNotEqual((self.output / "report.md").read_bytes(), (self.direct / "report.md").read_bytes())

    def test_reports_missing_arguments(self):
        ended = self.submit("3", "folder", "pointing")
        self.assertEqual((ended.returncode, ended.stdout), (64, ""))
        self.assertEqual(ended.stderr, "slurm-array.sh: expected N DIR EVALUATION MODEL DATA [OPTION]..., found 3 arguments\n")


if __name__ == "__main__":
    unittest.main()
