"""`sq-micro finetune`: train a plan, and leave it where `generate` goes on from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sq_micro import cli_options as options
from sq_micro.console import StageDisplay, errors_as_exit_codes

Train = Annotated[Path, typer.Option("--train", help=".npz with x, and y if known: samples to train on")]


def finetune(
    model: options.Model,
    calibrate: options.Calibrate,
    train: Train,
    out: options.Out = options.DEFAULT_OUT,
    evaluate: options.Evaluate = None,
    weight_bits: options.WeightBits = None,
    observer: options.ObserverOption = options.Observer.MSE,
    samples: options.SamplesOption = 100,
    epochs: options.Epochs = None,
    learning_rate: options.LearningRate = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Analyze, quantize and train a plan of bits; goes on where it was interrupted."""
    with errors_as_exit_codes(debug), StageDisplay(quiet=json) as display:
        from sq_micro import api

        record = api.finetune(
            model,
            calibrate=calibrate,
            train=train,
            evaluate=evaluate,
            weight_bits=weight_bits or 8,
            observer=observer.value,
            samples=samples,
            epochs=epochs,
            learning_rate=learning_rate,
            out=out,
            notify=display.notify,
            done=display.done,
        )
    print(record.model_dump_json(indent=2, by_alias=True) if json else record)
