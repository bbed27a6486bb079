# terminal.py SCRIPT COMMAND...: runs COMMAND on a terminal of its own, as somebody at a keyboard would, and plays SCRIPT.
# A script is lines of:
#   expect TEXT   read until TEXT was printed (20 s)
#   type TEXT     type it, with \n \x03 and the like
#   size R C      make the window that big
#   signal NAME   send the program a signal
#   raw|cooked    the terminal is (not) raw now; waits up to 5 s
#   exit N        the program ends (20 s) with this status
#   unchanged     the terminal's settings are as they were before
# All that was printed goes to standard output; what did not come true is said on standard error, and the status is 1.
import errno
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Session:
    def __init__(self, command):
        self.master, self.slave = pty.openpty()
        set_size(self.master, 24, 80)
        self.before = termios.tcgetattr(self.slave)
        self.printed = b""
        self.seen = 0
        self.status = None
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(self.slave, fd)
            os.closerange(3, 64)
            os.execvp(command[0], command)

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return
        try:
            self.printed += os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise

    def until(self, seconds, what):
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end:
                return False
            self.read(0.05)
        return True

    def expect(self, text):
        wanted = text.encode().decode("unicode_escape").encode("latin-1")

        def found():
            at = self.printed.find(wanted, self.seen)
            if at >= 0:
                self.seen = at + len(wanted)
            return at >= 0

        return self.until(20, found)

    def type(self, text):
        os.write(self.master, text.encode().decode("unicode_escape").encode("latin-1"))
        return True

    def size(self, text):
        rows, columns = text.split()
        set_size(self.master, int(rows), int(columns))
        return True

    def signal(self, name):
        os.kill(self.pid, getattr(signal, "SIG" + name))
        return True

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def raw(self, _):
        return self.until(5, self.is_raw)

    def cooked(self, _):
        return self.until(5, lambda: not self.is_raw())

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def exit(self, text):
        return self.until(20, self.ended) and self.status == int(text)

    def unchanged(self, _):
        return termios.tcgetattr(self.slave) == self.before


def main():
    session = Session(sys.argv[2:])
    failed = ""
    for line in sys.argv[1].splitlines():
        verb, _, rest = line.strip().partition(" ")
        if verb and not getattr(session, verb)(rest):
            failed = line.strip()
            break
    if session.status is None and not session.ended():
        os.kill(session.pid, signal.SIGKILL)
        os.waitpid(session.pid, 0)
    sys.stdout.buffer.write(session.printed)
    if failed:
        print(f"not so: {failed} (status {session.status})", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
