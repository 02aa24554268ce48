"""What the model and the service disagree about."""
import re

SHOWN = 1_500                            # characters of an answer


class Difference(Exception):
    def __init__(self, what, expected, seen):
        super().__init__(f"{what}\n    expected {expected}\n    seen     {str(seen)[:SHOWN]}")
        self.kind = re.sub(r"\b[cdfuk]\d+'?", "_", what)      # whatever it is called in another sequence
