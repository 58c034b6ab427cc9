"""The example's training job gone wrong, run by any interpreter: `python odd_job.py [WHAT]` in place of train.py.

WHAT befalls the job: late, killed, hoard (memory), or liar (its model answers otherwise than it said). Of a model that
was trained well, the variable ODD says what befalls it where it is asked: late, killed, hoard or bare (no
probabilities), and with ` capitals` only at texts in capitals, which the gate asks after everything else.
"""

import os
import signal
import sys
import time
from pathlib import Path

HELD = 400_000_000  # bytes of the job's hoard


def befall(what):
    """Be late, get killed, or hold more memory than is allowed."""
    if what == "late":
        time.sleep(600)
    if what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hoard":
        held = b"1" * HELD if "TRUEUP_JOB" in os.environ else bytearray(8_000_000_000)
        time.sleep(600)
        del held


if __name__ == "__main__":
    befall(*sys.argv[1:])  # before anything heavy is imported

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "trainer"))
import train  # noqa: E402


class Odd(train.Answers):
    """The example's model, until something befalls it."""

    what = ""

    def predict(self, context, model_input, params=None):
        said = super().predict(context, model_input, params)
        if "TRUEUP_JOB" in os.environ:  # while it is trained
            return said
        what, _, when = os.environ.get("ODD", "").partition(" ")
        texts = model_input[self.features[0]].fillna("").tolist()
        if when != "capitals" or any(text.isupper() for text in texts):
            befall(what)
            if what == "bare":
                return said[["prediction"]]
        if self.what == "liar":
            one, other = self.classes
            return said.assign(prediction=said["prediction"].map({one: other, other: one}))
        return said


def main(what=""):
    Odd.what = what
    train.Answers = Odd
    return train.main()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
