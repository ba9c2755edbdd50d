// SPDX-License-Identifier: Apache-2.0
#include "engine/device_failure.h"

#include <algorithm>
#include <string_view>

namespace genexx {
namespace {

constexpr std::string_view kOldDriver[] = {"cudaErrorInsufficientDriver", "cudaErrorCallRequiresNewerDriver",
                                           "cudaErrorSystemDriverMismatch", "cudaErrorCompatNotSupportedOnDevice",
                                           "cudaErrorStubLibrary"};
constexpr std::string_view kNotReady[] = {"cudaErrorInitializationError", "cudaErrorSystemNotReady",
                                          "cudaErrorStartupFailure", "cudaErrorOperatingSystem"};
constexpr std::string_view kTaken[] = {"cudaErrorDevicesUnavailable", "cudaErrorDeviceAlreadyInUse",
                                       "cudaErrorMpsConnectionFailed", "cudaErrorMpsServerNotReady",
                                       "cudaErrorMpsMaxClientsReached"};
constexpr std::string_view kNoCode[] = {"cudaErrorNoKernelImageForDevice",
                                        "cudaErrorInvalidDeviceFunction",
                                        "cudaErrorInvalidKernelImage",
                                        "cudaErrorUnsupportedPtxVersion",
                                        "cudaErrorInvalidPtx",
                                        "cudaErrorJitCompilerNotFound"};
constexpr std::string_view kLost[] = {
    "cudaErrorECCUncorrectable", "cudaErrorHardwareStackError",  "cudaErrorNvlinkUncorrectable",
    "cudaErrorContained",        "cudaErrorDeviceUninitialized", "cudaErrorContextIsDestroyed",
    "cudaErrorMpsRpcFailure",    "cudaErrorMpsClientTerminated", "cudaErrorUnknown"};
constexpr std::string_view kKernel[] = {
    "cudaErrorIllegalAddress",    "cudaErrorLaunchFailure",      "cudaErrorAssert",
    "cudaErrorMisalignedAddress", "cudaErrorIllegalInstruction", "cudaErrorInvalidAddressSpace",
    "cudaErrorInvalidPc",         "cudaErrorLaunchTimeout",      "cudaErrorLaunchOutOfResources"};

template <std::size_t kCount>
bool among(const std::string& name, const std::string_view (&names)[kCount]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

const char* advice(const std::string& name) {
  if (among(name, kOldDriver))
    return "the NVIDIA driver is missing, or older than the CUDA version of this program (see `genexx info` and "
           "nvidia-smi): update the driver, or use --device cpu";
  if (name == "cudaErrorNoDevice")
    return "no GPU is visible to this process (see nvidia-smi and CUDA_VISIBLE_DEVICES): ask the job scheduler for "
           "one, or use --device cpu";
  if (among(name, kNotReady))
    return "the driver is there but does not start (see nvidia-smi and the fabric manager's log): ask the machine's "
           "administrator, or use --device cpu";
  if (among(name, kTaken))
    return "the GPU is held by another process or forbidden to this one (see nvidia-smi, its compute mode): choose "
           "another with --device cuda:N, or use --device cpu";
  if (among(name, kNoCode))
    return "this program holds no code for this GPU's architecture: configure with "
           "-DGENEXX_CUDA_ARCHITECTURES=native and build again, or use --device cpu";
  if (name == "cudaErrorMemoryAllocation")
    return "the GPU's memory is full: use fewer replicas, a smaller batch, or --device cpu";
  if (among(name, kLost))
    return "the GPU was lost (see nvidia-smi and the kernel's log for an Xid): the last checkpoint is valid, go on "
           "with --resume on another GPU";
  if (among(name, kKernel))
    return "a kernel of this program went wrong on the GPU: the last checkpoint is valid; please report it with the "
           "output of a run under CUDA_LAUNCH_BLOCKING=1";
  return "run again with CUDA_LAUNCH_BLOCKING=1 to see which call it was, or use --device cpu";
}

}  // namespace

std::string to_string(const DeviceFailure& failure) {
  return failure.call + " failed: " + failure.text + " (" + failure.name + "); " + advice(failure.name);
}

std::string out_of_memory(int ordinal, std::int64_t bytes, const DeviceMemory& memory) {
  return "out of memory on cuda:" + std::to_string(ordinal) + ": " + std::to_string(bytes) + " bytes were asked for, " +
         std::to_string(memory.free_bytes) + " of " + std::to_string(memory.total_bytes) +
         " are free; use fewer replicas, a smaller batch or --device cpu";
}

}  // namespace genexx
