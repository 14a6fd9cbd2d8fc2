"""Write calib.npz and eval.npz: scikit-learn's handwritten digits, as `train.py` splits them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

CALIBRATION_SAMPLES = 256


def split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(train x, evaluation x, train y, evaluation y); x is (n, 8, 8, 1) uint8, 0 to 16."""
    digits = load_digits()
    images = digits.images.astype(np.uint8)[..., None]
    return tuple(train_test_split(images, digits.target, test_size=600, random_state=1, stratify=digits.target))


def main(folder: Path) -> None:
    """Both files in `folder`; the model takes x / 16."""
    train_x, eval_x, train_y, eval_y = split()
    folder.mkdir(parents=True, exist_ok=True)
    scale = np.float32(1 / 16)
    np.savez(folder / "calib.npz", x=train_x[:CALIBRATION_SAMPLES], y=train_y[:CALIBRATION_SAMPLES], scale=scale)
    np.savez(folder / "eval.npz", x=eval_x, y=eval_y, scale=scale)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
