"""A peer's process: it answers questions one at a time and is stopped while others work."""

import json
import os
import select
import signal
import subprocess
import sys
import time

# How often a worker that crashed is started again.
RESTARTS = 3


class PeerError(Exception):
    """A peer that could not do what it was asked, with what it wrote to its log."""


class Ended(Exception):
    """A process that left while it was asked."""


class Worker:
    """A process of its own group, so that stopping reaches its children too.

    Stopping (SIGSTOP) rather than waiting: thread pools that spin after their work would otherwise
    take the processors from the next peer, and forbidding them to spin would slow them down."""

    def __init__(self, name, command, environment, log, patience):
        self.name, self.command, self.log, self.patience = name, command, log, patience
        self.environment = os.environ | environment
        self.ends = []
        self.start()

    def start(self):
        self.buffer = b""
        try:
            with open(self.log, "wb") as errors:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    env=self.environment, start_new_session=True,
                )
        except OSError as error:
            raise PeerError(f"{self.name} does not start: {error}") from error

    def ask(self, work, **question):
        """The answer, a dictionary. A process that crashes is started again and asked again; `ends`
        keeps how it ended. Raises PeerError."""
        while True:
            try:
                answer = self.asked({"work": work} | question)
                break
            except Ended as end:
                self.ends.append(str(end))
                if len(self.ends) > RESTARTS:
                    raise PeerError(f"{self.name} {end}\n{self.last_words()}") from end
                print(f"{self.name} {end}; it is started again", file=sys.stderr, flush=True)
                self.start()
        if "error" in answer:
            raise PeerError(f"{self.name}, asked for {work} {question}: {answer['error']}")
        return answer

    def asked(self, question):
        try:
            self.signal(signal.SIGCONT)
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            answer = json.loads(self.line())
            self.signal(signal.SIGSTOP)
        except (BrokenPipeError, EOFError) as error:
            code = self.process.wait(self.patience)
            raise Ended(f"ended with {code} when asked {json.dumps(question)}") from error
        except json.JSONDecodeError as error:
            raise PeerError(f"{self.name} answers no JSON: {error}") from error
        return answer

    def line(self):
        """The next line of its stdout."""
        end = time.monotonic() + self.patience
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise PeerError(f"{self.name} gave no answer in {self.patience} s\n{self.last_words()}")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                raise EOFError
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def last_words(self):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-15:])

    def signal(self, number):
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def end(self):
        """Lets it leave by closing its stdin; ends it where it does not."""
        self.signal(signal.SIGCONT)
        try:
            self.process.stdin.close()
            self.process.wait(5)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.signal(signal.SIGKILL)
            self.process.wait()
