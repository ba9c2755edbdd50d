// SPDX-License-Identifier: Apache-2.0
#include "tools/process_status.h"

#include <unistd.h>
#include <algorithm>

#include <ctime>
#include <fstream>
#include <limits>
#include <string>

namespace genexx::tools {

// Source: proc(5), /proc/pid/stat, field 22: clock ticks from the start of the system to that of the process.
double seconds_since_start() {
  std::ifstream stat("/proc/self/stat");
  stat.ignore(std::numeric_limits<std::streamsize>::max(), ')');  // the name may hold spaces
  std::string skipped;
  for (int field = 3; field < 22; ++field) stat >> skipped;
  double ticks = 0;
  if (!(stat >> ticks)) return 0;
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec) -
         ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::int64_t resident_memory() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::int64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  return 0;
}

std::int64_t peak_memory_with(std::int64_t more) { return std::max(peak_memory(), resident_memory() + more); }

}  // namespace genexx::tools
