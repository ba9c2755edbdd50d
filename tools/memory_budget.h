// SPDX-License-Identifier: Apache-2.0
// How much memory there is, and whether a job fits into it.
#pragma once

#include <cstdint>
#include <string>

namespace genexx::tools {

// Bytes that can be taken without swapping: what the machine has left (MemAvailable), or what the memory limit of the
// control group, version 1 or 2, or of the address space leaves, whichever is least. The largest number where nothing
// can be told.
std::int64_t available_memory();

// "512 MB", "1.5 GB".
std::string bytes_text(std::int64_t bytes);

enum class MemoryCheck { on, off };

// Throws DeviceError when `more` bytes beyond what is held now are not there; the message says what for.
void expect_memory(std::int64_t more, const std::string& what_for, MemoryCheck check);

}  // namespace genexx::tools
