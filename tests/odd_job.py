"""A training job gone wrong, run by any interpreter: `python odd_job.py JOB [WHAT]`, JOB being train or fine_tune.

WHAT befalls the job: late, killed, hoard (memory), or liar (its model answers otherwise than it said). Of a model that
was trained well, the variable ODD says what befalls it where it is asked: late, killed, hoard or bare (no
probabilities), and with ` capitals` only at texts in capitals, which the gate asks after everything else.
"""

import importlib
import os
import signal
import sys
import time
from pathlib import Path

HELD = 400_000_000  # bytes of the job's hoard


def befall(what=""):
    """Be late, get killed, or hold more memory than is allowed."""
    if what == "late":
        time.sleep(600)
    if what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hoard":
        held = b"1" * HELD if "TRUEUP_JOB" in os.environ else bytearray(8_000_000_000)
        time.sleep(600)
        del held


def main(name, what=""):
    befall(what)  # before anything heavy is imported
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "trainer"))
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the model needs no file of this job either
    job = importlib.import_module(name)
    holder, model = (job, "Answers") if name == "train" else (job.text_net, "TextNet")

    class Odd(getattr(holder, model)):
        """The job's model, until something befalls it."""

        def predict(self, context, model_input, params=None):
            said = super().predict(context, model_input, params)
            if "TRUEUP_JOB" in os.environ:  # while it is trained
                return said
            odd, _, when = os.environ.get("ODD", "").partition(" ")
            texts = model_input[self.features[0]].fillna("").tolist()
            if when != "capitals" or any(text.isupper() for text in texts):
                befall(odd)
                if odd == "bare":
                    return said[["prediction"]]
            if what == "liar":
                one, other = self.classes
                return said.assign(prediction=said["prediction"].map({one: other, other: one}))
            return said

    setattr(holder, model, Odd)
    return job.main()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
