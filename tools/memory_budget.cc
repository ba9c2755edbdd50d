// SPDX-License-Identifier: Apache-2.0
#include "tools/memory_budget.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "engine/error.h"

namespace genexx::tools {
namespace {

constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();

// The number a small file of the system holds; none for "max" or no file.
std::optional<std::int64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  return file >> number ? std::optional<std::int64_t>(number) : std::nullopt;
}

// The number after `name` in a file of names and numbers; 0 where it is not.
std::int64_t field_in(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;)
    if (std::int64_t number = 0; word == name && file >> number) return number;
  return 0;
}

// What the limits of a control group and of those above it leave. Files in the page cache count as used there, but are
// given up when memory is asked for.
std::int64_t left_in_groups(const std::string& mount, std::string path, const char* limit, const char* usage,
                            const char* cache) {
  std::int64_t least = kUnknown;
  for (;;) {
    const std::string folder = mount + path;
    const std::optional<std::int64_t> most = number_in(folder + limit), used = number_in(folder + usage);
    if (most && used) least = std::min(least, *most - *used + field_in(folder + "/memory.stat", cache));
    if (path.empty()) return least;
    path.erase(path.rfind('/'));
  }
}

std::int64_t left_by_control_groups() {
  std::ifstream groups("/proc/self/cgroup");  // lines ID:CONTROLLERS:PATH
  std::int64_t least = kUnknown;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    if (controllers == "memory")
      least = std::min(least, left_in_groups("/sys/fs/cgroup/memory", path, "/memory.limit_in_bytes",
                                             "/memory.usage_in_bytes", "total_inactive_file"));
    if (controllers.empty())
      least =
          std::min(least, left_in_groups("/sys/fs/cgroup", path, "/memory.max", "/memory.current", "inactive_file"));
  }
  return least;
}

std::int64_t left_in_address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnknown;
  const std::int64_t pages = number_in("/proc/self/statm").value_or(0);
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(limit.rlim_cur) - pages * sysconf(_SC_PAGESIZE));
}

}  // namespace

std::int64_t available_memory() {
  const std::int64_t kilobytes = field_in("/proc/meminfo", "MemAvailable:");
  const std::int64_t machine = kilobytes > 0 ? kilobytes * 1024 : kUnknown;
  return std::max<std::int64_t>(0, std::min({machine, left_by_control_groups(), left_in_address_space()}));
}

std::string bytes_text(std::int64_t bytes) {
  const double megabytes = 1e-6 * static_cast<double>(bytes);
  if (megabytes < 999.5) return fmt::format("{:.0f} MB", megabytes);
  return fmt::format("{:.1f} GB", 1e-3 * megabytes);
}

void expect_memory(std::int64_t more, const std::string& what_for, MemoryCheck check) {
  if (check == MemoryCheck::off) return;
  const std::int64_t available = available_memory();
  if (more <= available) return;
  throw DeviceError(
      fmt::format("{} needs about {} more memory, but only {} is available; use fewer replicas, --limit-cells or a "
                  "machine with more "
                  "memory, or --no-memory-check to try all the same",
                  what_for, bytes_text(more), bytes_text(available)));
}

}  // namespace genexx::tools
