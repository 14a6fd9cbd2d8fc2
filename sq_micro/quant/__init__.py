"""From float to integers: scales, rounding, calibration. FloatGraph, Ranges, Bitwidths → QuantGraph."""
