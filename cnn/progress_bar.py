"""Imports tqdm with a lock of threads alone.

Its own lock is one of processes, too. It needs a semaphore of the system, for which
Python 3.14 starts a process.
"""

import threading

from tqdm import tqdm as tqdm

tqdm.set_lock(threading.RLock())
