"""A bare process that imports one module, asks its hooks, and tells what that did: CPU time, packages, sockets, files.

Run as ``python -B -P -s -c SCRIPT FD MODULE HEAVY HOOKS``: it loads nothing but what a plugin's declarations need
anyway, so that everything it finds was the plugin's doing. It answers on a file descriptor that the plugin is not told
of.
"""

from __future__ import annotations

SCRIPT = """
import json, os, sys, time, _thread, threading
import coinswarm.declarations, coinswarm.hookspecs
out, module = int(sys.argv[1]), sys.argv[2]
heavy, hooks = set(json.loads(sys.argv[3])), json.loads(sys.argv[4])
seen, busy = [], [False]
starts = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "socket.sendto",
          "socket.sendmsg", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
          "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree")
writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
def hook(event, args):
    if not busy[0]:
        return
    if event in starts:
        seen.append(event)
    elif event == "open" and isinstance(args[2], int) and args[2] & writes:
        seen.append(f"open {args[0]} for writing")
    elif event == "sqlite3.connect" and args[0] != ":memory:":
        seen.append(f"open the database {args[0]}")
sys.addaudithook(hook)
def told(start):
    def begin(*args, **kwargs):
        if busy[0]:
            seen.append("a thread")
        return start(*args, **kwargs)
    return begin
for place, names in ((_thread, ("start_new_thread", "start_joinable_thread")),
                     (threading, ("_start_new_thread", "_start_joinable_thread"))):
    for name in names:
        if hasattr(place, name):
            setattr(place, name, told(getattr(place, name)))
before = set(sys.modules)
busy[0] = True
begin = time.process_time()
problem = ""
try:
    __import__(module)
except BaseException as error:
    problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
for ask in (vars(sys.modules[module]).get(name) for name in hooks if not problem):
    try:
        ask and list(ask() or ())
    except BaseException:
        pass  # what it declares is another check's
seconds = time.process_time() - begin
busy[0] = False
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
answer = {"problem": problem, "seconds": seconds, "heavy": sorted(loaded & heavy), "seen": seen}
os.write(out, json.dumps(answer).encode())
os._exit(0)
"""
