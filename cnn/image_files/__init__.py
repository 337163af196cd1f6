"""Image files: their list, their labels, and their preprocessing in processes.

`bin/infer` reads such files, and `bin/train --images` learns from them.
"""
