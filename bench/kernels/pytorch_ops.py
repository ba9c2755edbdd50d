#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What our ops do, done by PyTorch, at shapes of bench/kernels: eager and compiled.

    bench/kernels/pytorch_ops.py [--device cuda:0|cpu] [--seconds 0.1] [--out FILE.json]

Names of ops and shapes are those of `genexx bench`, so that bench/changes.py can lay the two beside each other. Arguments take
turns until they are three times the L2 (180 MB, at most 64 sets); where that is not reached the line says "hot". On a GPU runs
are replayed as one CUDA graph. Without PyTorch nothing is measured, and the result says so.
"""
import argparse
import datetime
import json
import statistics
import sys
import time

try:
    import torch
    from torch.nn import functional
except ImportError as error:
    torch, why = None, str(error)

COLD = 180e6


class Case:
    """`make()` gives the arguments of one set, `run(*arguments)` does the work once."""

    def __init__(self, op, shape, size, make, run, precision="fp32"):
        self.op, self.shape, self.size, self.make, self.run, self.precision = op, shape, size, make, run, precision


def random(device, *shape):
    return torch.rand(*shape, device=device) * 2 - 1


def linear_cases(device, wide):
    layers = [(256, 2000, 128), (256, 20, 2000)]
    if wide:
        layers += [(200, 943, 3000), (200, 3000, 3000), (200, 9000, 9000), (200, 9000, 4760), (256, 17000, 8192), (256, 8192, 8192),
                   (256, 4542, 500), (256, 500, 500)]
    for n, inputs, out in layers:
        for precision in ("fp32", "tf32", "bf16") if wide else ("fp32",):
            def make(n=n, inputs=inputs, out=out, precision=precision):
                kind = torch.bfloat16 if precision == "bf16" else torch.float32
                return [t.to(kind) for t in (random(device, n, inputs), random(device, out, inputs), random(device, out))]
            yield Case("linear", f"n={n} in={inputs} out={out} forward", 4 * (n * inputs + inputs * out + n * out), make,
                       functional.linear, precision)


def norm(x, weight, bias):
    return functional.dropout(functional.relu(functional.batch_norm(x, None, None, weight, bias, True)), 0.2)


def norm_backward(x, weight, bias, dy):
    return torch.autograd.grad(norm(x, weight, bias), (x, weight, bias), dy)


def elementwise_cases(device, wide):
    def leaf(*shape):
        return random(device, *shape).requires_grad_()

    for rows, width in [(n, c) for n in (128, 256, 512) for c in (500, 8192)] if wide else [(32, 64)]:
        size, shape = 4 * rows * width, f"{rows}x{width}"
        yield Case("batch_norm, relu, dropout", shape + " forward", 2 * size,
                   lambda n=rows, c=width: (random(device, n, c), random(device, c), random(device, c)), norm)
        yield Case("batch_norm, relu, dropout", shape + " forward and backward", 5 * size,
                   lambda n=rows, c=width: (leaf(n, c), leaf(c), leaf(c), random(device, n, c)), norm_backward)
        yield Case("batch_norm", shape + " forward", 2 * size,
                   lambda n=rows, c=width: (random(device, n, c), random(device, c), random(device, c)),
                   lambda x, w, b: functional.batch_norm(x, None, None, w, b, True))
    for width in (3000, 6000, 9000) if wide else (64,):
        yield Case("tanh, dropout", f"200x{width} forward", 8 * 200 * width, lambda c=width: (random(device, 200, c),),
                   lambda x: functional.dropout(torch.tanh(x), 0.1))
    for classes in (11, 59, 105, 127):
        yield Case("softmax_cross_entropy", f"256x{classes}", 8 * 256 * classes,
                   lambda c=classes: (leaf(256, c), torch.randint(c, (256,), device=device)),
                   lambda x, y: torch.autograd.grad(functional.cross_entropy(x, y), x))


def optimizer_cases(device, wide):
    for p in (350_000, 2_825_000, 35_120_000, 206_900_000) if wide else (3_500,):
        for kind, name, words in ((torch.optim.Adam, "optimizer_adam", 7), (torch.optim.SGD, "optimizer_sgd", 5)):
            for form in ("fused", "foreach"):
                def make(p=p, kind=kind, form=form):
                    w = torch.nn.Parameter(random(device, p))
                    w.grad = random(device, p)
                    more = {"momentum": 0.5} if kind is torch.optim.SGD else {"capturable": device.type == "cuda"}
                    optimizer = kind([w], lr=1e-6, **{form: True}, **more)
                    optimizer.step()
                    return (optimizer,)
                yield Case(name, f"p={p}, {form}", 4 * words * p, make, lambda optimizer: optimizer.step())


def sparse_cases(device, wide):
    cells, genes = (256, 17000) if wide else (16, 500)
    for percent in (2, 5, 7, 10):
        stored = genes * percent // 100

        def make(stored=stored):
            columns = torch.stack([torch.randperm(genes, device=device)[:stored].sort().values for _ in range(cells)])
            begin = torch.arange(cells + 1, device=device) * stored
            return (torch.sparse_csr_tensor(begin, columns.reshape(-1), random(device, cells * stored) + 2, (cells, genes)),
                    random(device, genes), random(device, genes))
        yield Case("ingest", f"{cells} cells of {genes} genes, {percent}%", 12 * cells * stored + 4 * cells * genes, make,
                   lambda x, shift, factor: (torch.log1p(x.to_dense()) - shift) * factor)


def once(device, run):
    """A callable that does all sets once; one CUDA graph where that works."""
    if device.type != "cuda":
        return run
    run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def measure(case, compiled, device, seconds):
    if case.precision == "tf32" or device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = case.precision == "tf32"
    many = max(1, min(64, int(COLD / case.size) + 1)) if device.type == "cuda" else 1
    sets = [case.make() for _ in range(many)]
    function = torch.compile(case.run) if compiled else case.run

    def run():
        for arguments in sets:
            function(*arguments)

    go = once(device, run)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    times, until = [], time.perf_counter() + seconds
    for _ in range(3):
        go()
    wait()
    while time.perf_counter() < until or len(times) < 5:
        begin = time.perf_counter()
        go()
        wait()
        times.append((time.perf_counter() - begin) / many)
    times.sort()
    return {"op": case.op, "shape": case.shape + (", compiled" if compiled else ""), "precision": case.precision,
            "cache": "cold" if many * case.size >= COLD else "hot", "median_s": statistics.median(times),
            "p10_s": times[len(times) // 10], "p90_s": times[-1 - len(times) // 10], "runs": len(times) * many,
            "bytes": case.size, "flop": 0}


def measure_all(device, seconds):
    results, left_out = [], []
    wide = device.type == "cuda"
    for family in (linear_cases, elementwise_cases, optimizer_cases, sparse_cases):
        for case in family(device, wide):
            for compiled in (False, True) if wide and family is elementwise_cases else (False,):
                try:
                    results.append(measure(case, compiled, device, seconds))
                except (RuntimeError, TypeError, ValueError) as error:
                    left_out.append(f"{case.op} {case.shape}{', compiled' if compiled else ''}: {str(error).splitlines()[0]}")
    return results, left_out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--out")
    options = parser.parse_args()
    result = {"device": options.device, "devices": [], "threads": 0, "command": " ".join(sys.argv), "results": [],
              "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}
    if torch is None:
        result["left_out"] = [f"all: {why}"]
    elif options.device != "cpu" and not torch.cuda.is_available():
        result["left_out"] = [f"all: this PyTorch ({torch.__version__}) finds no GPU"]
    else:
        device = torch.device(options.device)
        result["devices"] = [torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"]
        result["threads"], result["genexx"] = torch.get_num_threads(), f"PyTorch {torch.__version__}"
        result["results"], result["left_out"] = measure_all(device, options.seconds)
    for case in result["results"]:
        print(f"{case['op']:28} {case['shape']:44} {case['precision']:5} {case['cache']:5} {1e6 * case['median_s']:10.1f} us")
    for line in result["left_out"]:
        print("left out:", line)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
