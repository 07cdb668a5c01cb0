"""A shell kept ready on a node of a KinD cluster, which is a container of this machine.

What it does it does within milliseconds of a knock: nothing has to be started any more. Leaves out what it
answers.
"""

import subprocess

from loadtest.process import program_missing


def open_shell(node: str, program: str, script: str, *arguments: str) -> subprocess.Popen[str]:
    """`program` is the shell; the script gets the arguments as `$@` and a line of input with each knock."""
    try:
        return subprocess.Popen(
            ("docker", "exec", "--interactive", node, program, "-c", script, program, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a Ctrl-C is for this program, which decides what it means
        )
    except FileNotFoundError as error:
        raise program_missing("docker") from error


def knock(shell: subprocess.Popen[str]) -> None:
    """Raises BrokenPipeError where the shell is gone."""
    assert shell.stdin
    shell.stdin.write("\n")
    shell.stdin.flush()
