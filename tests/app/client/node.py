"""The client's modules, called from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.app.browser import APP
from tests.support.program import HANGS

NODE = Path(sys.executable).with_name("node")
_SCRIPT = """
const {{ {names} }} = await import({module});
const given = JSON.parse(await new Response(process.stdin).text());
process.stdout.write(JSON.stringify(({expression})(given)));
"""


def call_client(module: str, names: str, expression: str, given: Any) -> Any:
    """Return what a function in JavaScript returns, through JSON.

    Args:
        module: a module of the client, such as `store/edits`.
        names: what the function uses of it.
        expression: the function, of one argument.
        given: the argument.
    """
    address = (APP / "client" / f"{module}.js").as_uri()
    script = _SCRIPT.format(names=names, module=json.dumps(address), expression=expression)
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script],
        input=json.dumps(given),
        capture_output=True,
        encoding="utf-8",
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
