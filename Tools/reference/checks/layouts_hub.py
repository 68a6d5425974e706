"""Networks and processors of Hugging Face's transformers: saved, exported by optimum, and downloaded by huggingface_hub."""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

import numpy as np

from checks.layout_cases import NAMES, Made, case, is_made, seed_torch, torch_logits

OPTIMUM = "transformers optimum-onnx"


def pretrained(model_class, processor, folder, **settings):
    """Saves a network with random weights and its processor with `save_pretrained`, and returns both."""
    import torch
    import transformers

    torch.manual_seed(3)
    network_class = getattr(transformers, model_class)
    labels = {"id2label": dict(enumerate(NAMES)), "label2id": {name: index for index, name in enumerate(NAMES)}}
    configuration = network_class.config_class(**labels, **settings)
    network = seed_torch(network_class(configuration))
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return network


def hub_case(folder, model_class, processor_class, processor_settings, settings, layout="flat", tolerance=1e-4):
    """Exports with optimum's command. `layout` is the location of the files."""
    import transformers

    processor = getattr(transformers, processor_class)(**processor_settings)
    source, exported = folder / "saved", folder / "exported"
    network = pretrained(model_class, processor, source, **settings)
    model = exported / "model.onnx"
    if not is_made(model):
        command = [sys.executable, "-m", "optimum.commands.optimum_cli", "export", "onnx", "--model", source, exported]
        run = subprocess.run([*map(str, command), "--task", "image-classification"], capture_output=True, text=True)
        if not model.exists():
            raise RuntimeError(run.stderr.strip().splitlines()[-1])
    location = LAYOUTS[layout](folder, exported)
    loaded = transformers.AutoImageProcessor.from_pretrained(exported, use_fast="Fast" in processor_class)
    return Made(
        location,
        lambda image: np.asarray(loaded(image, return_tensors="pt")["pixel_values"]),
        torch_logits(network),
        label=lambda index: NAMES[index].split(",")[0],
        tolerance=tolerance,
    )


def flat(folder, exported):
    return exported


def below_onnx(folder, exported):
    """The layout of onnx-community's repositories: the network in the folder `onnx`, the configurations in its parent."""
    target = folder / "repository"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(exported, target)
    (target / "onnx").mkdir()
    for path in target.glob("model.onnx*"):
        path.rename(target / "onnx" / path.name)
    return target


def cached(folder, exported):
    """The cache layout of huggingface_hub, downloaded from a local server: blobs, refs, and a snapshot of links."""
    repository = below_onnx(folder, exported)
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Hub, repository))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program = "import sys, huggingface_hub; print(huggingface_hub.snapshot_download('someone/network', cache_dir=sys.argv[1]))"
    environment = os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HUB_DISABLE_XET": "1"}
    run = subprocess.run([sys.executable, "-c", program, str(cache)], capture_output=True, text=True, env=environment)
    server.shutdown()
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip().splitlines()[-1])
    return pathlib.Path(run.stdout.strip())


LAYOUTS = {"flat": flat, "onnx": below_onnx, "cache": cached}


class Hub(http.server.BaseHTTPRequestHandler):
    """A minimal hub server for `snapshot_download`."""

    COMMIT = "0123456789abcdef0123456789abcdef01234567"

    def __init__(self, repository, *arguments):
        self.repository = repository
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.startswith("/api/models/"):
            files = [str(file.relative_to(self.repository)) for file in self.repository.rglob("*") if file.is_file()]
            siblings = [{"rfilename": name} for name in sorted(files)]
            self.answer(json.dumps({"id": "someone/network", "sha": self.COMMIT, "siblings": siblings}).encode())
        else:
            self.answer((self.repository / path.split("/", 5)[5]).read_bytes())

    def answer(self, data):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
SMALL = {"embedding_size": 16, "hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]}
CONVNEXT = {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 2, 1]}
HUB = {
    "hub-resnet": ("ResNetForImageClassification", "ConvNextImageProcessor", {"size": {"shortest_edge": 224}, "resample": 3, **IMAGENET}, SMALL | {"layer_type": "basic"}),
    "hub-resnet-onnx": ("ResNetForImageClassification", "ConvNextImageProcessor", {"size": {"shortest_edge": 224}, **IMAGENET}, SMALL, "onnx"),
    "hub-convnext-cache": ("ConvNextForImageClassification", "ConvNextImageProcessor", {"size": {"shortest_edge": 384}, **IMAGENET}, CONVNEXT, "cache"),
    "hub-convnext-fast": ("ConvNextForImageClassification", "ConvNextImageProcessorFast", {}, CONVNEXT, "flat", 0.1),
    "hub-convnextv2": ("ConvNextV2ForImageClassification", "ConvNextImageProcessor", IMAGENET | {"size": {"shortest_edge": 224}}, CONVNEXT),
    "hub-mobilenet-v1": ("MobileNetV1ForImageClassification", "MobileNetV1ImageProcessor", {}, {"depth_multiplier": 0.25}),
    "hub-mobilenet-v2-onnx": ("MobileNetV2ForImageClassification", "MobileNetV2ImageProcessor", {}, {"depth_multiplier": 0.35}, "onnx"),
    "hub-mobilenet-v2-fast": ("MobileNetV2ForImageClassification", "MobileNetV2ImageProcessorFast", {}, {"depth_multiplier": 0.35}, "flat", 0.1),
    "hub-efficientnet": ("EfficientNetForImageClassification", "EfficientNetImageProcessor", {"size": {"height": 224, "width": 224}, "include_top": True}, {"width_coefficient": 0.5, "depth_coefficient": 0.5, "image_size": 224, "hidden_dim": 640}),
    "hub-efficientnet-offset": ("EfficientNetForImageClassification", "EfficientNetImageProcessor", {"size": {"height": 240, "width": 240}, "rescale_offset": True, "rescale_factor": 1 / 127.5, "do_normalize": False}, {"width_coefficient": 0.5, "depth_coefficient": 0.5, "image_size": 240, "hidden_dim": 640}),
    "hub-regnet": ("RegNetForImageClassification", "ConvNextImageProcessor", {"size": {"shortest_edge": 224}, **IMAGENET}, SMALL | {"groups_width": 16}),
    "hub-mobilevit": ("MobileViTForImageClassification", "MobileViTImageProcessor", {}, {"hidden_sizes": [32, 48, 64], "neck_hidden_sizes": [8, 16, 24, 32, 48, 64, 128]}),
    "hub-poolformer": ("PoolFormerForImageClassification", "PoolFormerImageProcessor", {}, {"hidden_sizes": [16, 32, 48, 64], "depths": [1, 1, 1, 1]}),
    "hub-vit": ("ViTForImageClassification", "ViTImageProcessor", {}, {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}),
    "hub-deit": ("DeiTForImageClassification", "DeiTImageProcessor", {}, {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}),
    "hub-swin": ("SwinForImageClassification", "ViTImageProcessor", {}, {"embed_dim": 12, "depths": [1, 1], "num_heads": [2, 2]}),
    "hub-levit": ("LevitForImageClassification", "LevitImageProcessor", {}, {}),
    "hub-cvt": ("CvtForImageClassification", "ConvNextImageProcessor", {"size": {"shortest_edge": 224}}, {}),
}
for name, (network, *rest) in HUB.items():
    layout = {"onnx": "onnx/model.onnx", "cache": "hub cache"}.get(rest[3] if len(rest) > 3 else "", "model.onnx")
    case(name, OPTIMUM, f"{network.replace('ForImageClassification', '')}, {rest[0].replace('ImageProcessor', ' processor ').strip()}; {layout}", network, *rest)(hub_case)
