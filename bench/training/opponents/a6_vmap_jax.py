# SPDX-License-Identifier: Apache-2.0
"""A6: JAX vmap over replicas: the step of A5 for K sets of weights, each with its own order and random numbers."""
from protocol import main
from a5_jax import Jax

import functools

import numpy as np

try:
    import jax
    import jax.numpy as jnp
    from networks_jax import fresh_moments, split, update
except ImportError:
    jax = None


class Vmapped(Jax):
    name = "A6 JAX vmap"

    @classmethod
    def missing(cls, options):
        if jax is None:
            return super().missing(options)
        return cls.lacks(options) if options.replicas > 1 else "is for several replicas"

    def __init__(self, case, options, dropout):
        super().__init__(case, options, dropout)
        self.replicas = options.replicas

        def stack(values):
            return {name: jnp.broadcast_to(value, (self.replicas, *value.shape)) for name, value in values.items()}

        self.single = self.params
        self.params, self.statistics = stack(self.params), stack(self.statistics)
        self.key = jax.random.split(self.key, self.replicas)

    def make_chunk(self, phase):
        gradient = self.value_and_gradient(phase)

        def step(learned, moments, statistics, key, others, rows, x, truth, index):
            key, now = jax.random.split(key)
            (_, (_, statistics)), g = gradient(learned, others, statistics, now, x[rows], truth[rows], index)
            learned, moments = update(phase, learned, g, moments)
            return learned, moments, statistics, key

        joint = jax.vmap(step, in_axes=(0, 0, 0, 0, 0, 0, None, None, None))

        @functools.partial(jax.jit, donate_argnums=(0, 1, 2, 3))
        def chunk(learned, moments, statistics, key, batches, others, x, truth, index):
            def body(state, rows):
                return joint(*state, others, rows, x, truth, index), None
            return jax.lax.scan(body, (learned, moments, statistics, key), batches)[0]

        return chunk

    def run(self, phase, batches):
        """Replica k takes batch i + k where the first takes batch i."""
        learned, others = split(phase, self.params)
        if phase.name not in self.functions:
            self.functions[phase.name] = self.make_chunk(phase)
            self.moments[phase.name] = jax.vmap(lambda _, l: fresh_moments(phase, l))(jnp.arange(self.replicas), learned)
        rows = jnp.asarray(np.stack([np.roll(batches, -k, axis=0) for k in range(self.replicas)], axis=1), jnp.int32)
        state = self.functions[phase.name](learned, self.moments[phase.name], self.statistics, self.key, rows, others, self.x,
                                           self.truth, self.index)
        learned, self.moments[phase.name], self.statistics, self.key = state
        self.params = {**others, **learned}
        jax.block_until_ready(state)

    def gradient(self, phase):
        """The last replica's: all begin with the same weights."""
        self.fix_batch()
        learned, others = split(phase, self.params)
        joint = jax.vmap(self.value_and_gradient(phase), in_axes=(0, 0, 0, 0, None, None, None))
        (_, (parts, _)), g = jax.jit(joint)(learned, others, self.statistics, self.key, self.x, self.truth, self.index)
        return {name: np.asarray(value[-1], np.float64) for name, value in g.items()}, [float(part[-1]) for part in parts]

    def weights(self):
        return {name: np.asarray(value[-1], np.float64) for name, value in {**self.params, **self.statistics}.items()}


if __name__ == "__main__":
    main(Vmapped)
