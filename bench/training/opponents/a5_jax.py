# SPDX-License-Identifier: Apache-2.0
"""A5: JAX: one jitted lax.scan over a chunk of steps, parameters and moments donated, the precision of products set."""
import os

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # so that peak memory is what is used

from protocol import main, peak_of_process

import functools

import numpy as np

from case import DROPOUT

try:
    import jax
    import jax.numpy as jnp
    from networks_jax import Forward, fresh_moments, loss_of, split, update
except ImportError as error:
    jax, why = None, str(error)

PRODUCTS = {"fp32": "highest", "fp64": "highest", "tf32": "tensorfloat32", "bf16": "highest"}  # bf16: operands are cast


class Jax:
    name = "A5 JAX jit"

    @classmethod
    def missing(cls, options):
        if jax is None:
            return why
        if options.replicas != 1:
            return "one replica after the other costs what one costs"
        return cls.lacks(options)

    @classmethod
    def lacks(cls, options):
        cuda = options.device.startswith("cuda")
        if options.precision == "tf32" and not cuda:
            return "the CPU has no tf32"
        if not cuda:
            jax.config.update("jax_platforms", "cpu")
        elif jax.default_backend() != "gpu":
            return f"this JAX ({jax.__version__}) finds no GPU"
        return None

    @classmethod
    def versions(cls):
        return {"jax": jax.__version__, "backend": jax.default_backend()}

    def __init__(self, case, options, dropout):
        if options.precision == "fp64":
            jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_default_matmul_precision", PRODUCTS[options.precision])
        self.case, self.options = case, options
        self.dtype = jnp.float64 if options.precision == "fp64" else jnp.float32
        self.rate = DROPOUT[case.system] if dropout is None else dropout
        before = {name: jnp.asarray(value, self.dtype) for name, value in case.before.items()}
        self.statistics = {name: value for name, value in before.items() if ".running_" in name}
        self.params = {name: value for name, value in before.items() if name not in self.statistics}
        self.moments, self.functions, self.key = {}, {}, jax.random.PRNGKey(0)
        self.put(case.x, case.truth)

    def put(self, x, truth):
        self.x = jnp.asarray(x, self.dtype)
        self.truth = jnp.asarray(truth, self.dtype if truth.dtype == np.float32 else jnp.int32)
        self.index = None if self.case.index is None else jnp.asarray(self.case.index, self.dtype)

    def fix_batch(self):
        self.put(self.case.batch, self.case.truth[:self.case.rows])

    def value_and_gradient(self, phase):
        """A function of (learned, others, statistics, key, x, truth, index)."""
        system, rate, half = self.case.system, self.rate, self.options.precision == "bf16"

        def loss(learned, others, statistics, key, x, truth, index):
            forward = Forward({**learned, **others}, statistics, key, rate, half)
            total, parts = loss_of(system, phase.name, forward, x, truth, index)
            return total, (parts, forward.statistics)

        return jax.value_and_grad(loss, has_aux=True)

    def make_chunk(self, phase):
        gradient = self.value_and_gradient(phase)

        def step(carry, rows):
            learned, moments, statistics, key, others, x, truth, index = carry
            key, now = jax.random.split(key)
            (_, (_, statistics)), g = gradient(learned, others, statistics, now, x[rows], truth[rows], index)
            learned, moments = update(phase, learned, g, moments)
            return (learned, moments, statistics, key, others, x, truth, index), None

        @functools.partial(jax.jit, donate_argnums=(0, 1, 2, 3))
        def chunk(learned, moments, statistics, key, batches, others, x, truth, index):
            def body(state, rows):
                return step((*state, others, x, truth, index), rows)[0][:4], None
            return jax.lax.scan(body, (learned, moments, statistics, key), batches)[0]

        return chunk

    def run(self, phase, batches):
        learned, others = split(phase, self.params)
        if phase.name not in self.functions:
            self.functions[phase.name] = self.make_chunk(phase)
            self.moments[phase.name] = fresh_moments(phase, learned)
        state = self.functions[phase.name](learned, self.moments[phase.name], self.statistics, self.key,
                                           jnp.asarray(batches, jnp.int32), others, self.x, self.truth, self.index)
        learned, self.moments[phase.name], self.statistics, self.key = state
        self.params = {**others, **learned}
        jax.block_until_ready(state)

    def gradient(self, phase):
        self.fix_batch()
        learned, others = split(phase, self.params)
        (_, (parts, _)), g = jax.jit(self.value_and_gradient(phase))(learned, others, self.statistics, self.key, self.x,
                                                                    self.truth, self.index)
        return {name: np.asarray(value, np.float64) for name, value in g.items()}, [float(part) for part in parts]

    def weights(self):
        return {name: np.asarray(value, np.float64) for name, value in {**self.params, **self.statistics}.items()}

    def bytes(self):
        statistics = jax.devices()[0].memory_stats()
        return statistics["peak_bytes_in_use"] if statistics else peak_of_process()

    def notes(self):
        return "products: " + ("bf16 operands, f32 sums" if self.options.precision == "bf16" else
                               jax.config.jax_default_matmul_precision)


if __name__ == "__main__":
    main(Jax)
