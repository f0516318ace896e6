"""The client's own tests, `*.test.js` beside this file, run by Node."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.program import HANGS

HERE = Path(__file__).parent


def test_the_client_s_own_tests_pass():
    node = Path(sys.executable).with_name("node")
    files = sorted(HERE.glob("*.test.js"))
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", *files],
        capture_output=True,
        encoding="utf-8",
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    assert int(passed[1]) >= len(files), done.stdout
