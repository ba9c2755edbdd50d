// SPDX-License-Identifier: Apache-2.0
// The options that say where and how exactly a verb computes.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "engine/context.h"

namespace genexx::tools {

struct DeviceOptions {
  std::string device = "auto", cpu_isa, precision = "fp32";

  // The instruction set that is used: the one given, or the fastest.
  std::string isa() const;
};

void add_device_options(CLI::App& verb, DeviceOptions& options);

// The context asked for; `pool` must outlive it. Throws UsageError for what is no device, instruction set or precision,
// DeviceError when the device cannot be had.
std::unique_ptr<Context> device_context(const DeviceOptions& options, ThreadPool& pool);

}  // namespace genexx::tools
