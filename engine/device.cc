// SPDX-License-Identifier: Apache-2.0
#include "engine/device.h"

#include <charconv>

#include "engine/error.h"
#ifdef GENEXX_WITH_CUDA
#include "engine/cuda/cuda_context.h"
#endif

namespace genexx {
namespace {

[[maybe_unused]] int parse_ordinal(const std::string& name) {
  if (name == "cuda") return 0;
  int ordinal = -1;
  const char* begin = name.data() + 5;
  const char* end = name.data() + name.size();
  const auto [stop, status] = std::from_chars(begin, end, ordinal);
  if (status != std::errc() || stop != end || ordinal < 0)
    throw UsageError("--device is '" + name + "', expected auto, cpu, cuda or cuda:N");
  return ordinal;
}

}  // namespace

bool built_with_cuda() {
#ifdef GENEXX_WITH_CUDA
  return true;
#else
  return false;
#endif
}

std::unique_ptr<Context> make_context(const std::string& name, ThreadPool* pool, CpuIsa isa) {
  if (name == "cpu") return std::make_unique<CpuContext>(pool, isa);
#ifdef GENEXX_WITH_CUDA
  if (name == "auto" && cuda_device_count() > 0) return std::make_unique<CudaContext>(0);
  if (name == "cuda" || name.rfind("cuda:", 0) == 0) return std::make_unique<CudaContext>(parse_ordinal(name));
#else
  if (name == "cuda" || name.rfind("cuda:", 0) == 0)
    throw DeviceError("--device " + name +
                      ": this build has no CUDA backend; configure with -DGENEXX_CUDA=ON, or use "
                      "--device cpu");
#endif
  if (name == "auto") return std::make_unique<CpuContext>(pool, isa);
  throw UsageError("--device is '" + name + "', expected auto, cpu, cuda or cuda:N");
}

std::string device_of_rank(const std::string& name, [[maybe_unused]] int local_rank) {
#ifdef GENEXX_WITH_CUDA
  if (const int devices = cuda_device_count(); devices > 0 && (name == "auto" || name == "cuda"))
    return "cuda:" + std::to_string(local_rank % devices);
#endif
  return name;
}

std::vector<std::string> list_devices() {
  std::vector<std::string> lines = {std::string("cpu: ") + name_of(best_cpu_isa())};
#ifdef GENEXX_WITH_CUDA
  if (const std::string problem = cuda_device_problem(); !problem.empty())
    lines.push_back("no CUDA device: " + problem);
  for (int i = 0; i < cuda_device_count(); ++i)
    lines.push_back("cuda:" + std::to_string(i) + ": " + cuda_device_description(i));
#endif
  return lines;
}

}  // namespace genexx
