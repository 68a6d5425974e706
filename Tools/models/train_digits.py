"""Trains the four networks for scenes of digits and writes their model folders.

Usage: train_digits.py OUTPUT [NETWORK...]. Reads OUTPUT/scenes, which digits.py writes, and writes OUTPUT/NETWORK with model.onnx,
preprocessor_config.json, config.json, and logits.npy with the logits that ONNX Runtime computes for OUTPUT/scenes, 200 × 10. Prints the
accuracy.

The networks are trained on scenes of one digit and, in every third scene, of two digits. Each present digit is a separate label and competes
only with the absent digits: the softmax in the loss leaves out the other present digit. Therefore the loss does not reward units that respond
to pairs. An AlexNet that was trained to give each of two digits half of the probability had such units: LRP's maps of both digits were equal,
and no contrast could separate them. The transformer is trained on three times as many scenes, because it must learn the locality that a
convolution has by construction. Training is seeded and runs on one thread. On another processor rounding may differ, which gives different
weights of similar accuracy.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch.nn import functional

import digit_networks
import digit_transformer
from digit_networks import DEVIATION, MEAN, PREPROCESSOR
from digits import CLASSES, SIDE, scene

NETWORKS = digit_networks.NETWORKS | {"vit": digit_transformer.transformer}

SEED, HELD_OUT_SEED = 1, 2
SCENES, BATCH = {"alexnet": 20_000, "vgg": 20_000, "googlenet": 20_000, "vit": 60_000}, 64
EPOCHS = {"alexnet": 12, "vgg": 8, "googlenet": 8, "vit": 12}
SHIFT = 3                                                   # the largest random shift of a scene during training, in pixels
HELD_OUT = 1_000
RATE, RISE, DECAY = 2e-3, 0.15, 0.02                        # of AdamW: the largest learning rate of the cycle, the part of the cycle before it, weight decay
TOLERANCE = 1e-4                                            # between PyTorch and ONNX Runtime, relative to the largest logit


def scenes(part, counts, seed):
    """Scenes of `counts` digits each: pixels (8 bits, N × 3 × side × side) and whether each class is present (N × 10)."""
    random = np.random.default_rng(seed)
    drawn = [scene(random, part, count) for count in counts]
    present = np.zeros((len(drawn), len(CLASSES)), np.float32)
    for row, (_, classes, _) in zip(present, drawn):
        row[classes] = 1
    return torch.from_numpy(np.stack([pixels for pixels, _, _ in drawn]).transpose(0, 3, 1, 2).copy()), torch.from_numpy(present)


def stored(folder):
    """The scenes of a folder, as `scenes` returns them."""
    rows = json.loads((folder / "instances.json").read_text())
    pixels = np.stack([np.asarray(Image.open(folder / image["file_name"])) for image in rows["images"]])
    present = torch.zeros(len(pixels), len(CLASSES))
    for annotation in rows["annotations"]:
        present[annotation["image_id"] - 1, annotation["category_id"]] = 1
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()), present


def normalized(pixels):
    """Pixels as input of the networks."""
    return (pixels.float() / 255 - MEAN) / DEVIATION


def varied(pixels):
    """Data augmentation: small shifts, and permuted color channels. Neither changes the digits."""
    top, left = torch.randint(0, 2 * SHIFT + 1, (2,))
    padded = functional.pad(pixels[:, torch.randperm(3)], [SHIFT] * 4, mode="replicate")
    return padded[:, :, top:top + SIDE, left:left + SIDE]


def loss(logits, present):
    """The cross-entropy of each present digit against the absent digits: log(1 + Σ_absent exp(y_j − y_c))."""
    absent = logits.masked_fill(present > 0, -torch.inf).logsumexp(1, keepdim=True)
    return (functional.softplus(absent - logits) * present).sum() / present.sum()


def trained(name, pixels, present):
    """A trained network with the given architecture."""
    torch.manual_seed(SEED)
    network = NETWORKS[name]()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=DECAY)
    batches = len(pixels) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, EPOCHS[name] * batches, pct_start=RISE)
    for epoch in range(EPOCHS[name]):
        start, total = time.monotonic(), 0.0
        for rows in torch.randperm(len(pixels))[:batches * BATCH].view(-1, BATCH):
            value = loss(network(varied(normalized(pixels[rows]))), present[rows])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += value.item()
        print(f"{name} {epoch + 1}/{EPOCHS[name]}: loss {total / batches:.3f}, {time.monotonic() - start:.0f} s", flush=True)
    return network.centered().eval()


def logits(session, pixels):
    """The logits that ONNX Runtime computes."""
    return session.run(["logits"], {"input": normalized(pixels).numpy()})[0]


def figures(logits, present):
    """The accuracy, as shares of the scenes or of the present digits."""
    present = present.numpy() > 0
    order = np.argsort(-logits, axis=1)
    first = np.take_along_axis(present, order[:, :1], 1)[:, 0]
    both = np.take_along_axis(present, order[:, :2], 1).sum(1) == present.sum(1)
    return {"top-1 is present": first.mean(), "top-2 have all": both.mean(), "logits of digits > 0": (logits[present] > 0).mean()}


def write(folder, name, network, shown):
    """Writes the model folder, after comparing ONNX Runtime with PyTorch."""
    pixels, _ = shown
    source = digit_transformer if name == "vit" else digit_networks
    model = source.to_onnx(network, name).SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found = logits(session, pixels)
    with torch.no_grad():
        expected = network(normalized(pixels)).numpy()
    error = np.abs(found - expected).max() / np.abs(expected).max()
    if not error <= TOLERANCE:
        raise SystemExit(f"{name}: ONNX Runtime differs from PyTorch by {error:.2g} of the largest logit, tolerance {TOLERANCE:g}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    np.save(folder / "logits.npy", found)
    labels = {str(index): label for index, label in enumerate(CLASSES)}
    for file, content in ("preprocessor_config.json", PREPROCESSOR), ("config.json", {"id2label": labels}):
        (folder / file).write_text(json.dumps(content, indent=2) + "\n")
    return session, error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    names = options.networks or list(NETWORKS)
    # The first scenes do not depend on the number of scenes.
    training = scenes("train", 1 + (np.arange(max(SCENES[name] for name in names)) % 3 == 2), SEED)
    shown = stored(options.output / "scenes")
    held_out = scenes("test", [2] * HELD_OUT, HELD_OUT_SEED)
    single = scenes("test", [1] * HELD_OUT, HELD_OUT_SEED + 1)
    for name in names:
        pixels, present = (values[:SCENES[name]] for values in training)
        session, error = write(options.output / name, name, trained(name, pixels, present), shown)
        print(f"{name}: ONNX Runtime differs from PyTorch by {error:.1e} of the largest logit")
        for kind, (pixels, present) in ("stored", shown), ("held out", held_out), ("one digit", single):
            found = figures(logits(session, pixels), present)
            print(f"  {kind}: " + ", ".join(f"{label} {value:.3f}" for label, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
