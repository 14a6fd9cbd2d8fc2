"""The training child: `python -m sq_micro.finetune --request FOLDER/request.json`.

Standard output carries a JSON line a round (`progress.Round`), standard error one line if it fails; the exit code is
that of the error. The result lies beside the request, as `result.npz`.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")  # a GPU adds in another order each time

from sq_micro.errors import SqMicroError, TrainingError
from sq_micro.finetune.progress import Round
from sq_micro.finetune.request import load_request


def main() -> int:
    """Train. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sq_micro.finetune", description="train the integers of a network")
    parser.add_argument("--request", type=Path, required=True, help="request.json, as sq-micro wrote it")
    file: Path = parser.parse_args().request
    parent = os.getppid()

    def alive() -> None:
        if os.getppid() != parent:  # two children of one folder would write over each other
            raise TrainingError("whoever asked for this training is gone; ask again to go on with it")

    # Nothing but progress may reach the parent: whatever else prints, prints to stderr.
    lines = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def tell(found: Round) -> None:
        print(found.line(), file=lines)

    try:
        request = load_request(file)
        from sq_micro.finetune.training import Training

        Training(request, file.parent, tell, alive).run()
    except SqMicroError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a defect of ours: one line for the person, the rest for who mends it
        log = file.parent / "error.log"
        log.write_text(traceback.format_exc(), encoding="utf-8")
        print(f"internal: {type(error).__name__}; please report {log}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
