# SPDX-License-Identifier: Apache-2.0
"""The four systems in PyTorch, written from the published descriptions; names of parameters are ours."""
import torch
from torch import nn
from torch.nn import functional


class Layer(nn.Linear):
    """A linear layer, with batch norm where the file has its parameters."""

    def __init__(self, shapes, name):
        out, width = shapes[name + ".weight"]
        super().__init__(width, out)
        self.norm = nn.BatchNorm1d(out) if name + ".norm.weight" in shapes else None

    def forward(self, x):
        y = super().forward(x)
        return y if self.norm is None else self.norm(y)


class Network(nn.Module):
    """forward gives (logits or targets, gate, embedding); the last two are scAnnoNet's."""

    def __init__(self, system, shapes, dropout):
        super().__init__()
        self.system, self.rate = system, dropout

        def layers(group):
            count = len({name.split(".")[1] for name in shapes if name.startswith(group + ".")})
            return nn.ModuleList(Layer(shapes, f"{group}.{i}") for i in range(count))

        self.gate, self.hidden = layers("gate"), layers("hidden")
        self.output = Layer(shapes, "output")

    def drop(self, x):
        return functional.dropout(x, self.rate) if self.rate else x

    def drop_rows(self, x):  # TransBrain drops whole cells
        return x * functional.dropout(torch.ones_like(x[:, :1]), self.rate) if self.rate else x

    def open_gate(self, x):
        return torch.sigmoid(self.gate[1](self.drop(torch.tanh(self.gate[0](x)))))

    def forward(self, x):
        gate = None
        if self.system == "scannonet":
            gate = self.open_gate(x)
            x = x * gate
        for i, layer in enumerate(self.hidden):
            if self.system == "dgex":
                x = torch.tanh(layer(self.drop(x) if i else x))
            elif self.system == "transbrain":
                x = torch.relu(layer(x))
            else:
                x = self.drop(torch.relu(layer(x)))
        embedding = x
        x = self.drop(x) if self.system == "dgex" else self.drop_rows(x) if self.system == "transbrain" else x
        return self.output(x), gate, embedding


def collinearity(z):
    """Off-diagonal sum of Z^T Z over B^2 - H, the denominator kept from B^2 / 2 up."""
    batch = len(z)
    return (z.sum(dim=1).square().sum() - z.square().sum()).abs() / max(batch ** 2 - z.shape[1], batch ** 2 / 2)


def loss_of(network, phase, x, truth, index):
    """(what is minimised, [the parts that are reported])."""
    if phase == "pretrain":
        loss = (network.open_gate(x) - index).square().mean()
        return loss, [loss]
    found, gate, embedding = network(x)
    found = found if found.dtype == torch.float64 else found.float()
    if network.system == "dgex":
        loss = (found - truth).square().sum() / len(x)
        return loss, [loss]
    entropy = functional.cross_entropy(found, truth)
    if network.system != "scannonet":
        return entropy, [entropy]
    parts = [entropy, (gate - index).square().mean(), collinearity(embedding.to(found.dtype)) / len(x)]
    return parts[0] + 1000.0 * parts[1] + parts[2], parts


def make_network(case, dtype, device, dropout):
    network = Network(case.system, {name: values.shape for name, values in case.before.items()}, dropout)
    network.load_state_dict({name: torch.tensor(values) for name, values in case.before.items()}, strict=False)
    return network.to(device=device, dtype=dtype)


def make_optimizer(case_phase, network, **flags):
    """`flags` go to the optimizer: fused, foreach, capturable. A learning rate given as a tensor stays one."""
    groups = {}
    for name, parameter in network.named_parameters():
        if case_phase.learns(name):
            groups.setdefault(case_phase.scale(name), []).append(parameter)
    as_tensor = flags.pop("tensor_rate", None)
    rated = [{"params": parameters, "lr": as_tensor(case_phase.rate * scale) if as_tensor else case_phase.rate * scale}
             for scale, parameters in groups.items()]
    if case_phase.optimizer == "sgd":
        flags.pop("capturable", None)
        return torch.optim.SGD(rated, lr=case_phase.rate, momentum=case_phase.momentum, **flags)
    kind = torch.optim.AdamW if case_phase.optimizer == "adamw" else torch.optim.Adam
    return kind(rated, lr=case_phase.rate, weight_decay=case_phase.weight_decay, **flags)
