"""What the allocator does with freed arrays."""

import subprocess
import sys

SCRIPT = """
import resource
import numpy as np
from cnn.freed_memory import keep_freed_memory

def count_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(1 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

keep_freed_memory()
count_faults()
print(count_faults())
"""


def test_a_freed_array_is_used_again_without_asking_the_system():
    """An array of a mebibyte has 256 pages."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 50
