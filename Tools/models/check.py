"""SqueezeNet's forward pass in plain NumPy from the released weights. It shares neither code nor layout with the ONNX graph."""
import math

import numpy as np
import onnxruntime

TOLERANCE = 1e-4                                            # of the largest logit; ONNX Runtime computes in single precision
INPUT_SHAPES = [(1, 227, 227), (2, 130, 101)]               # images, height, width; the second pools over ragged edges


def convolution(value, kernel, bias, stride=1, padding=0):
    """`value`: images × height × width × channels. `kernel`: height × width × in × out."""
    value = np.pad(value, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(value, kernel.shape[:2], axis=(1, 2))[:, ::stride, ::stride]
    return np.maximum(np.einsum("nyxcij,ijco->nyxo", windows, kernel, optimize=True) + bias, 0)


def pool(value):
    """Max pooling with 3 × 3 windows and stride 2; the last window may extend beyond the edge."""
    out = [math.ceil((side - 3) / 2) + 1 for side in value.shape[1:3]]
    ragged = [(0, 2 * (n - 1) + 3 - side) for n, side in zip(out, value.shape[1:3])]
    value = np.pad(value, ((0, 0), *ragged, (0, 0)), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(value, (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(-2, -1))


def forward(weights, images):
    """Logits of `images` (images × height × width × BGR, mean subtracted), in double precision."""
    def layer(value, name, **options):
        return convolution(value, *(array.astype(np.float64) for array in weights[name]), **options)
    value = pool(layer(images.astype(np.float64), "conv1", stride=2))
    for fire in range(2, 10):
        squeezed = layer(value, f"fire{fire}/squeeze1x1")
        value = np.concatenate([layer(squeezed, f"fire{fire}/expand1x1"),
                                layer(squeezed, f"fire{fire}/expand3x3", padding=1)], axis=-1)
        if fire in (3, 5):
            value = pool(value)
    return layer(value, "conv10").mean(axis=(1, 2))


def disagreement(model_bytes, weights):
    """The error in the model's logits as ONNX Runtime computes them, or None."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    for count, height, width in INPUT_SHAPES:
        images = random.uniform(-120, 130, (count, height, width, 3)).astype(np.float32)
        expected = forward(weights, images)
        found = session.run(["logits"], {"input": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})[0]
        where = f"on {count} × 3 × {height} × {width}"
        if found.shape != expected.shape:
            return f"logits {where} have shape {list(found.shape)}, expected {list(expected.shape)}"
        error = np.abs(found - expected).max() / np.abs(expected).max()
        if not error <= TOLERANCE:                          # also true for NaN
            return f"logits {where} differ from the NumPy forward pass by {error:.2g} of the largest, tolerance {TOLERANCE:g}"
    return None
