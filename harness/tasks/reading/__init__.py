"""What a free answer states: a letter (`read_letter`) or a number (`read_number`).

Each comes with the rule and the words it was read by. Pure functions over text; nothing heavy is
imported. The filters of the harness's own generative tasks call them.
"""

from harness.tasks.reading.api import ReadAnswer, Reading
from harness.tasks.reading.letters import read_letter
from harness.tasks.reading.numbers import read_number
from harness.tasks.reading.options import QuestionOptions, options_of

__all__ = ["QuestionOptions", "ReadAnswer", "Reading", "options_of", "read_letter", "read_number"]
