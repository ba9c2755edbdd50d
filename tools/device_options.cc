// SPDX-License-Identifier: Apache-2.0
#include "tools/device_options.h"

#include "engine/device.h"

namespace genexx::tools {

std::string DeviceOptions::isa() const { return cpu_isa.empty() ? name_of(best_cpu_isa()) : cpu_isa; }

void add_device_options(CLI::App& verb, DeviceOptions& o) {
  verb.add_option("--device", o.device, "auto, cpu or cuda:N")->capture_default_str();
  verb.add_option("--cpu-isa", o.cpu_isa, "x86-64-v2, avx2 or avx512; the fastest when not given");
  verb.add_option("--precision", o.precision,
                  "fp32, 3xtf32, tf32 or bf16: of the products of matrices; on the CPU the same numbers as a GPU's, "
                  "but slower than fp32")
      ->capture_default_str();
}

std::unique_ptr<Context> device_context(const DeviceOptions& o, ThreadPool& pool) {
  const Precision precision = parse_precision(o.precision);
  std::unique_ptr<Context> ctx =
      make_context(o.device, &pool, o.cpu_isa.empty() ? best_cpu_isa() : parse_cpu_isa(o.cpu_isa));
  ctx->precision = precision;
  return ctx;
}

}  // namespace genexx::tools
