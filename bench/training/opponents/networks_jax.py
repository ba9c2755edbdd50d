# SPDX-License-Identifier: Apache-2.0
"""The four systems in JAX, as functions of a dictionary of parameters; names are ours. Optimizers are written out: updates of
a few lines, the same as PyTorch's."""
import jax
import jax.numpy as jnp

MOMENTUM = 0.1  # of batch norm's running statistics
EPSILON = 1e-5


class Forward:
    """One pass through a network; gathers new running statistics of batch norm."""

    def __init__(self, params, statistics, key, rate, half):
        self.params, self.statistics, self.key, self.rate, self.half = params, dict(statistics), key, rate, half

    def linear(self, name, x):
        w, b = self.params[name + ".weight"], self.params[name + ".bias"]
        if self.half:  # bf16 operands, sums in f32, as tensor cores take them
            return jax.lax.dot_general(x.astype(jnp.bfloat16), w.astype(jnp.bfloat16), (((1,), (1,)), ((), ())),
                                       preferred_element_type=jnp.float32) + b
        return x @ w.T + b

    def norm(self, name, x):
        if name + ".norm.weight" not in self.params:
            return x
        mean, variance = x.mean(axis=0), x.var(axis=0)
        for part, value in (("mean", mean), ("var", variance * len(x) / (len(x) - 1))):
            key = f"{name}.norm.running_{part}"
            self.statistics[key] = (1 - MOMENTUM) * self.statistics[key] + MOMENTUM * jax.lax.stop_gradient(value)
        scaled = (x - mean) * jax.lax.rsqrt(variance + EPSILON)
        return scaled * self.params[name + ".norm.weight"] + self.params[name + ".norm.bias"]

    def keep(self, shape, dtype):
        self.key, key = jax.random.split(self.key)
        return jax.random.bernoulli(key, 1 - self.rate, shape).astype(dtype) / (1 - self.rate)

    def drop(self, x):
        return x * self.keep(x.shape, x.dtype) if self.rate else x

    def drop_rows(self, x):  # TransBrain drops whole cells
        return x * self.keep((len(x), 1), x.dtype) if self.rate else x

    def open_gate(self, x):
        return jax.nn.sigmoid(self.linear("gate.1", self.drop(jnp.tanh(self.linear("gate.0", x)))))

    def network(self, system, x):
        gate = None
        if system == "scannonet":
            gate = self.open_gate(x)
            x = x * gate
        count = len({name.split(".")[1] for name in self.params if name.startswith("hidden.")})
        for i in range(count):
            name = f"hidden.{i}"
            if system == "dgex":
                x = jnp.tanh(self.linear(name, self.drop(x) if i else x))
            elif system == "transbrain":
                x = jax.nn.relu(self.linear(name, x))
            else:
                x = self.drop(jax.nn.relu(self.norm(name, self.linear(name, x))))
        embedding = x
        x = self.drop(x) if system == "dgex" else self.drop_rows(x) if system == "transbrain" else x
        return self.linear("output", x), gate, embedding


def loss_of(system, phase, forward, x, truth, index):
    """(what is minimised, [the parts that are reported])."""
    if phase == "pretrain":
        loss = jnp.square(forward.open_gate(x) - index).mean()
        return loss, [loss]
    found, gate, embedding = forward.network(system, x)
    if system == "dgex":
        loss = jnp.square(found - truth).sum() / len(x)
        return loss, [loss]
    entropy = -jnp.take_along_axis(jax.nn.log_softmax(found), truth[:, None], axis=1).mean()
    if system != "scannonet":
        return entropy, [entropy]
    rows = len(x)
    off_diagonal = jnp.abs(jnp.square(embedding.sum(axis=1)).sum() - jnp.square(embedding).sum())
    parts = [entropy, jnp.square(gate - index).mean(),
             off_diagonal / max(rows ** 2 - embedding.shape[1], rows ** 2 / 2) / rows]
    return parts[0] + 1000.0 * parts[1] + parts[2], parts


def split(phase, params):
    """(those the phase learns, the others)."""
    learned = {name: value for name, value in params.items() if phase.learns(name)}
    return learned, {name: value for name, value in params.items() if name not in learned}


def fresh_moments(phase, learned):
    zeros = {name: jnp.zeros_like(value) for name, value in learned.items()}
    second = {name: jnp.zeros_like(value) for name, value in learned.items()} if phase.optimizer != "sgd" else {}
    return {"first": zeros, "second": second, "step": jnp.zeros((), jnp.int32)}


def update(phase, learned, gradients, moments):
    """(parameters, moments) after one step of the phase's optimizer."""
    step = moments["step"] + 1
    falls = (moments["step"] // 20).astype(jnp.float32)
    first, second, after = {}, {}, {}
    for name, w in learned.items():
        g, rate = gradients[name], phase.rate * phase.scale(name)
        if phase.decay != 1:
            rate = rate * jnp.power(jnp.asarray(phase.decay, w.dtype), falls.astype(w.dtype))
        if phase.optimizer == "sgd":
            first[name] = phase.momentum * moments["first"][name] + g
            after[name] = w - rate * first[name]
            continue
        if phase.optimizer == "adam":
            g = g + phase.weight_decay * w
        else:
            w = w * (1 - rate * phase.weight_decay)
        first[name] = 0.9 * moments["first"][name] + 0.1 * g
        second[name] = 0.999 * moments["second"][name] + 0.001 * g * g
        count = step.astype(w.dtype)
        correct = (1 - jnp.power(jnp.asarray(0.9, w.dtype), count), 1 - jnp.power(jnp.asarray(0.999, w.dtype), count))
        after[name] = w - rate / correct[0] * first[name] / (jnp.sqrt(second[name] / correct[1]) + 1e-8)
    return after, {"first": first, "second": second, "step": step}
