#!/usr/bin/env python3
"""The service of Fixtures/dependent/Sources/Service, written with Captum, to compare its length and its limits.

    python3 Tools/peers/service_captum.py

A thread cannot be stopped, and Captum does not support cancellation: a request that is canceled or exceeds its time limit keeps its thread and
its memory until it ends. Methods and rules are classes, so requests in text form need a table. LRP sets rules and hooks on the modules of the
network, so each request needs its own copy of the network.
"""
import asyncio
import base64
import copy
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from captum.attr import LRP, InputXGradient, IntegratedGradients, LayerActivation, NoiseTunnel, Saliency
from captum.attr._utils.lrp_rules import EpsilonRule

METHODS = {"lrp": LRP, "gradient": Saliency, "gradient-times-input": InputXGradient, "integrated-gradients": IntegratedGradients}


def parameters(text):
    name, _, rest = text.partition(":")
    return name, {key: float(value) for key, value in (pair.split("=") for pair in rest.split(",") if pair)}


class Service:
    def __init__(self, network, prepare, per_request, memory):
        self.network, self.prepare = network, prepare
        self.threads = ThreadPoolExecutor(max(1, memory // per_request))

    async def answer(self, text):
        request = json.loads(text)
        work = asyncio.get_running_loop().run_in_executor(self.threads, self.explain, request)
        return json.dumps(await asyncio.wait_for(work, request.get("timeout", 10)))

    def explain(self, request):
        width, height, stride = request["width"], request["height"], request["bytesPerRow"]
        data = np.frombuffer(base64.b64decode(request["pixels"]), np.uint8)
        if width < 1 or height < 1 or stride < 4 * width or data.size < stride * height:
            raise ValueError("the number of pixels does not match the size")
        pixels = data[:stride * height].reshape(height, stride)[:, :4 * width].reshape(height, width, 4)[:, :, 2::-1]
        x = self.prepare(pixels.copy()).requires_grad_()
        name, settings = parameters(request["method"])
        network = copy.deepcopy(self.network) if name == "lrp" else self.network
        if request.get("rule"):
            node, value = request["rule"].split("=")
            network.get_submodule(node).rule = EpsilonRule(float(value))
        with torch.no_grad():
            logits = network(x)[0]
        target = int(logits.argmax()) if request["target"] == "top:1" else int(request["target"].removeprefix("class:"))
        if not 0 <= target < logits.numel():
            raise ValueError(f"there is no class {target}")
        if any(not np.isfinite(value) for value in settings.values()):
            raise ValueError(f"{name}: {settings}")
        if name == "smoothgrad":
            method = NoiseTunnel(Saliency(network))
            settings = {"nt_samples": int(settings.get("samples", 25)), "stdevs": settings.get("deviation", 0.15)}
        elif name in METHODS:
            method = METHODS[name](network)
            settings = {"n_steps": int(settings["steps"])} if "steps" in settings else {}
        else:
            raise ValueError(f"{name}: expected one of {', '.join(METHODS)}, smoothgrad")
        relevance = method.attribute(x, target=target, **settings)
        if not torch.isfinite(relevance).all():
            raise ValueError("not finite")
        answer = {"target": f"class:{target}", "scores": logits.tolist(), "relevance": relevance.detach().tolist()}
        if request.get("node"):
            answer["activation"] = LayerActivation(network, network.get_submodule(request["node"])).attribute(x).tolist()
        return answer


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.head = torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Linear(4 * 30 * 30, 10)

    def forward(self, x):
        return self.head(torch.flatten(self.relu(self.conv(x)), 1))


async def main():
    torch.manual_seed(0)
    network = Network().eval()
    service = Service(network, lambda pixels: torch.tensor(pixels.transpose(2, 0, 1)[None] / 255, dtype=torch.float32), 1 << 24, 1 << 26)
    pixels = base64.b64encode(bytes(range(256)) * 16).decode()
    request = {"width": 32, "height": 32, "bytesPerRow": 128, "pixels": pixels, "target": "top:1", "node": "conv"}
    for method in [*METHODS, "smoothgrad:samples=3", "integrated-gradients:steps=3", "lrp:x=nan", "none"]:
        try:
            answer = json.loads(await service.answer(json.dumps(request | {"method": method})))
            print(method, answer["target"], np.shape(answer["relevance"]), np.shape(answer["activation"]))
        except ValueError as error:
            print(method, "refused:", error)


if __name__ == "__main__":
    asyncio.run(main())
