#!/usr/bin/env python3
"""Compares dask_evaluate.py on real clusters with a direct run. Takes about 90 seconds. trial.py defines the evaluation."""
import fcntl
import re
import subprocess
import sys
import time
import unittest

import psutil
from dask.distributed import LocalCluster
from trial import EVALUATION, HERE, TOOL, Trial, lines

SHARDS = 4


def command(output, *options, evaluation=EVALUATION, tool=TOOL):
    return [sys.executable, HERE / "dask_evaluate.py", "--shards", str(SHARDS), "--relevance", tool, *options,
            "--", *evaluation, "--output", output]


def run(*arguments, **options):
    return subprocess.run(command(*arguments, **options), capture_output=True, text=True, check=False)


class DaskEvaluate(Trial):
    def assert_success(self, status, errors):
        # Long runs print lines of progress.
        self.assertEqual((status, re.sub(r"\d+ of (about )?\d+ items, .*\n", "", errors)), (0, ""))
        self.assert_same_bytes()

    def test_writes_and_prints_the_same_as_a_direct_run(self):
        ended = run(self.output)
        self.assert_success(ended.returncode, ended.stderr)
        self.assertEqual(ended.stdout, self.report)

    def test_survives_the_death_of_a_worker(self):
        started = subprocess.Popen(command(self.output), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        worker, orphan = self.busy_worker(started)
        worker.kill()
        psutil.wait_procs([orphan], timeout=5)
        self.assertFalse(orphan.is_running(), "the tool still runs after its worker died")
        _, errors = started.communicate()
        self.assert_success(started.returncode, errors)

    def busy_worker(self, started):
        """A worker, and its process of the tool, which has written some lines and still runs."""
        while started.poll() is None:
            for process in psutil.Process(started.pid).children(recursive=True):
                try:
                    words = process.cmdline()
                    if "--shard" in words and words[0] == TOOL:
                        index = words[words.index("--shard") + 1].partition("/")[0]
                        if lines(self.output / f"journal-{index}-of-{SHARDS}.jsonl") >= 3:
                            return process.parent(), process
                except psutil.NoSuchProcess:
                    pass
            time.sleep(0.01)
        self.fail("the evaluation ended before a worker could be killed; set EVALUATION to a longer one")

    def test_runs_only_incomplete_shards(self):
        self.assertEqual(run(self.output).returncode, 0)
        cut = self.output / f"journal-3-of-{SHARDS}.jsonl"
        cut.write_bytes(cut.read_bytes()[:-10])
        tool, log = self.logging_tool()
        ended = run(self.output, tool=tool)
        self.assert_success(ended.returncode, ended.stderr)
        # The third shard, and a complete one whose settings are compared.
        self.assertEqual(sorted(line.split()[-1] for line in log.read_text().splitlines() if "--shard" in line), ["1/4", "3/4"])

    def test_waits_for_a_journal_that_is_in_use(self):
        self.output.mkdir()
        with (self.output / f"journal-2-of-{SHARDS}.jsonl").open("a") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            tool, log = self.logging_tool()
            started = subprocess.Popen(command(self.output, tool=tool), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            while not log.exists() or f"2/{SHARDS}" not in log.read_text():
                time.sleep(0.05)
            time.sleep(1)
        _, errors = started.communicate()
        self.assert_success(started.returncode, errors)
        self.assertEqual(log.read_text().count(f"2/{SHARDS}"), 2)

    def test_runs_on_an_existing_cluster(self):
        with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster:
            ended = run(self.output, "--scheduler", cluster.scheduler_address)
        self.assert_success(ended.returncode, ended.stderr)

    def test_reports_an_error_of_all_shards_in_one_line(self):
        ended = run(self.output, evaluation=[EVALUATION[0], "no-such-model", *EVALUATION[2:]])
        self.assertEqual((ended.returncode, ended.stdout), (66, ""))
        self.assertRegex(
            ended.stderr, r"\Adask_evaluate: shards 1, 2, 3, 4 of 4: no-such-model: there is no such file and no fetched model with this name.*\n\Z")

    def test_names_the_shard_that_failed(self):
        self.output.mkdir()
        journal = self.output / f"journal-2-of-{SHARDS}.jsonl"
        journal.write_text("{}\n")
        ended = run(self.output)
        self.assertEqual((ended.returncode, ended.stdout), (65, ""))
        self.assertRegex(ended.stderr, rf"\Adask_evaluate: shard 2 of 4: {journal}: expected a journal .*\n\Z")
        self.assertTrue(all(lines(self.output / f"journal-{index}-of-4.jsonl") > 1 for index in (1, 3, 4)), "the other shards must be evaluated")

    def test_rejects_shards_with_other_settings(self):
        self.assertEqual(run(self.output).returncode, 0)
        ended = run(self.output, evaluation=[*EVALUATION, "--seed", "1", "--method", "random"])
        self.assertEqual(ended.returncode, 64)
        self.assertRegex(ended.stderr, r"\Adask_evaluate: shard 1 of 4: .* cannot be continued: .*\n\Z")

    def test_reports_a_missing_tool(self):
        ended = run(self.output, tool="/no/such/tool")
        self.assertEqual(ended.returncode, 66)
        self.assertRegex(ended.stderr, r"\Adask_evaluate: shards 1, 2, 3, 4 of 4: /no/such/tool: not found on .*\n\Z")


if __name__ == "__main__":
    unittest.main()
