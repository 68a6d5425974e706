"""Shared by the tests of this folder: an evaluation, and the files of a direct run.

RELEVANCE is the path of the tool (default: the release build). EVALUATION contains the arguments of the evaluation without --output (default:
pointing on the digits of Fixtures). The evaluation should take some seconds, so that it can be interrupted.
"""
import os
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOL = os.environ.get("RELEVANCE", str(ROOT / ".build/release/relevance"))
DIGITS = ROOT / "Fixtures/digits"
EVALUATION = shlex.split(os.environ.get(
    "EVALUATION", f"pointing {DIGITS}/vgg {DIGITS}/scenes/instances.json --method lrp --method clrp1 --method smoothgrad"))


class Trial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.direct = cls.folder / "direct"
        ended = subprocess.run([TOOL, "evaluate", *EVALUATION, "--output", cls.direct], capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"a direct run fails: {ended.stderr.strip()}")
        cls.report = ended.stdout

    def setUp(self):
        self.output = self.folder / self.id().rpartition(".")[2]

    def assert_same_bytes(self):
        """Checks that the output folder contains the same files as the direct run."""
        for file in self.direct.iterdir():
            self.assertEqual(file.read_bytes(), (self.output / file.name).read_bytes(), file.name)

    def logging_tool(self):
        """A wrapper of the tool that appends its arguments to a log, and the log."""
        log, tool = self.folder / f"{self.output.name}.log", self.folder / f"{self.output.name}.sh"
        tool.write_text(f'#!/bin/sh\necho "$*" >>{shlex.quote(str(log))}\nexec {shlex.quote(TOOL)} "$@"\n')
        tool.chmod(0o755)
        return tool, log


def lines(journal):
    return journal.read_bytes().count(b"\n") if journal.exists() else 0
