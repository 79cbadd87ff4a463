"""Runs a command on a pseudo terminal, sends keys, and tells when what came after them.

usage: terminal.py TIMEOUT PATTERN KEYS DELAY -- COMMAND...

When PATTERN has been seen for DELAY seconds, KEYS are sent (^C is Ctrl+C). Prints one JSON object: the output before and
after the keys, the seconds until the first WARNING after them, and how the command ended.
"""
import json
import os
import pty
import select
import sys
import time

split = sys.argv.index("--")
limit, pattern, keys, delay = sys.argv[1:split]
limit, delay = float(limit), float(delay)
keys = keys.replace("^C", "\x03").encode()

pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm-256color"
    os.environ["NO_COLOR"] = "1"
    os.execvp(sys.argv[split + 1], sys.argv[split + 1:])

before, after = b"", b""
began, due, sent, told = time.time(), None, None, None
while time.time() - began < limit:
    ready, _, _ = select.select([terminal], [], [], 0.02)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        if sent is None:
            before += data
        else:
            after += data
            if told is None and b"WARNING" in after:
                told = time.time() - sent
        # The shell asks where the cursor is, and waits for the answer.
        if b"\x1b[6n" in data:
            os.write(terminal, b"\x1b[1;1R")
    if sent is None and due is None and pattern.encode() in before:
        due = time.time() + delay
    if due is not None and sent is None and time.time() >= due:
        os.write(terminal, keys)
        sent = time.time()

ended = None
for _ in range(100):
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        break
    if done:
        ended = os.waitstatus_to_exitcode(status)
        break
    time.sleep(0.02)
else:
    os.kill(pid, 9)
    os.waitpid(pid, 0)

print(json.dumps({
    "before": before.decode(errors="replace"),
    "after": after.decode(errors="replace"),
    "sent": sent is not None,
    "seconds": told,
    "exit": ended,
}))
