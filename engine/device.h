// SPDX-License-Identifier: Apache-2.0
// Choosing a device by name, in builds with and without CUDA.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/context.h"

namespace genexx {

// Makes the context named by `name`: "cpu", "cuda", "cuda:N" or "auto" (cuda:0 when usable, else cpu). `pool` serves
// the CPU and must outlive the context. Throws UsageError for another name, DeviceError when the device cannot be had.
std::unique_ptr<Context> make_context(const std::string& name, ThreadPool* pool, CpuIsa isa = best_cpu_isa());

// The device that a rank among several of one machine takes where `name` leaves it open: "auto" and "cuda" become
// "cuda:N", N its place among them, beginning anew after the last device; without a usable GPU, and for other names,
// `name`.
std::string device_of_rank(const std::string& name, int local_rank);

// What this build and machine offer, a line each: "cpu: avx512", "cuda:0: NVIDIA H200, ...".
std::vector<std::string> list_devices();

// Whether this build has the CUDA backend at all.
bool built_with_cuda();

}  // namespace genexx
