"""How the programs that are measured lie in the page cache. What was just written, or read from end to end, lies there in
large folios; what page faults read in, a little here and there, in small ones, which cost more to map: 0.15 of 0.8 ms a start
of warren. So all programs, and their libraries, are read anew before each benchmark."""
import os
import shutil
import subprocess


def install(program, directory):
    """A copy as `cmake --install --strip` makes it: distributions strip the peers' programs as well."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, os.path.basename(program))
    subprocess.run(['strip', '-o', path, program], check=True, stdin=subprocess.DEVNULL)
    return path


def with_libraries(program, env=None):
    """The files of a program whose loader finds libraries (ld.so(8))."""
    traced = subprocess.run([program], env=dict(env or os.environ, LD_TRACE_LOADED_OBJECTS='1'),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    words = traced.stdout.split()
    return [program, *(os.path.realpath(word) for word in words if word.startswith('/') and os.path.isfile(word))]


def of_peers(names):
    return [path for name in names if shutil.which(name) for path in with_libraries(shutil.which(name))]


def read_anew(paths):
    """posix_fadvise(2): pages that nobody has mapped leave the cache, and come back in order."""
    for path in sorted(set(paths)):
        with open(path, 'rb', buffering=0) as file:
            try:
                os.fsync(file.fileno())
            except OSError:
                pass  # on a read-only file system there is nothing to write
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while file.read(1 << 20):
                pass
