"""Own tasks from a text file or a workbook: rows are read, checked, and become lm-eval configs.

The rules (docs/tasks.md): which columns hold what, what a missing value is, and how an answer names
its option, one way for a whole file. Whatever may be read in two ways is asked for; every error
names file, row and column.
"""

from harness.tasks.ownfile.columns import Columns, find_columns
from harness.tasks.ownfile.config import FILE_PATH, OwnPart, own_parts
from harness.tasks.ownfile.reading import OwnRows, read_file

__all__ = ["FILE_PATH", "Columns", "OwnPart", "OwnRows", "find_columns", "own_parts", "read_file"]
