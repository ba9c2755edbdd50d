// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_write_driver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "engine/error.h"

namespace genexx::hdf5 {
namespace {

// What travels in the access properties; only the open callback looks at it.
struct DriverSettings {
  const std::shared_ptr<WriteOutcome>* outcome;
};

// The library knows a file by its first member. HDF5 virtual file layer, H5FDpublic.h.
struct OpenFile {
  H5FD_t library;
  int descriptor;
  haddr_t allocated;  // "end of address space": what the library has given out
  haddr_t end;        // of what is written
  std::shared_ptr<WriteOutcome> outcome;
};

constexpr haddr_t kMaximumAddress = static_cast<haddr_t>(std::numeric_limits<off_t>::max());

OpenFile& file_of(H5FD_t* file) { return *reinterpret_cast<OpenFile*>(file); }
const OpenFile& file_of(const H5FD_t* file) { return *reinterpret_cast<const OpenFile*>(file); }

void remember(OpenFile& file, std::size_t bytes) {
  file.outcome->error = errno != 0 ? errno : EIO;
  file.outcome->bytes = static_cast<std::int64_t>(bytes);
}

extern "C" H5FD_t* driver_open(const char* name, unsigned flags, hid_t access, haddr_t) {
  const auto* settings = static_cast<const DriverSettings*>(H5Pget_driver_info(access));
  if (!settings) return nullptr;
  int mode = flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY;
  if (flags & H5F_ACC_TRUNC) mode |= O_TRUNC;
  if (flags & H5F_ACC_CREAT) mode |= O_CREAT;
  if (flags & H5F_ACC_EXCL) mode |= O_EXCL;
  const int descriptor = ::open(name, mode | O_CLOEXEC, 0666);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    if (descriptor >= 0) ::close(descriptor);
    return nullptr;
  }
  auto file = std::make_unique<OpenFile>();
  file->descriptor = descriptor;
  file->end = static_cast<haddr_t>(status.st_size);
  file->outcome = *settings->outcome;
  return &file.release()->library;
}

extern "C" herr_t driver_close(H5FD_t* handle) {
  const std::unique_ptr<OpenFile> file(&file_of(handle));
  if (::close(file->descriptor) != 0 && file->outcome->error == 0) remember(*file, 0);
  return 0;
}

extern "C" herr_t driver_query(const H5FD_t*, unsigned long* features) {
  *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
              H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

extern "C" haddr_t driver_allocated(const H5FD_t* file, H5FD_mem_t) { return file_of(file).allocated; }

extern "C" herr_t driver_set_allocated(H5FD_t* file, H5FD_mem_t, haddr_t address) {
  file_of(file).allocated = address;
  return 0;
}

extern "C" haddr_t driver_end(const H5FD_t* file, H5FD_mem_t) { return file_of(file).end; }

// Beyond the end of the file there are zeros.
extern "C" herr_t driver_read(H5FD_t* handle, H5FD_mem_t, hid_t, haddr_t address, std::size_t size, void* buffer) {
  OpenFile& file = file_of(handle);
  auto* to = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = ::pread(file.descriptor, to, size, static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    to += got;
    address += static_cast<haddr_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  std::memset(to, 0, size);
  return 0;
}

extern "C" herr_t driver_write(H5FD_t* handle, H5FD_mem_t, hid_t, haddr_t address, std::size_t size,
                               const void* buffer) {
  OpenFile& file = file_of(handle);
  const auto* from = static_cast<const char*>(buffer);
  file.end = std::max(file.end, address + size);
  while (size > 0 && file.outcome->error == 0) {
    const ssize_t put = ::pwrite(file.descriptor, from, size, static_cast<off_t>(address));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      remember(file, size);
      break;
    }
    from += put;
    address += static_cast<haddr_t>(put);
    size -= static_cast<std::size_t>(put);
  }
  return 0;
}

extern "C" herr_t driver_truncate(H5FD_t* handle, hid_t, hbool_t) {
  OpenFile& file = file_of(handle);
  if (file.allocated != file.end && file.outcome->error == 0 &&
      ::ftruncate(file.descriptor, static_cast<off_t>(file.allocated)) != 0) {
    remember(file, 0);
  }
  file.end = file.allocated;
  return 0;
}

H5FD_class_t driver() {
  H5FD_class_t d{};
#if H5_VERSION_GE(1, 14, 0)
  d.version = H5FD_CLASS_VERSION;
  d.value = static_cast<H5FD_class_value_t>(600);  // any above those the library keeps for itself
#endif
  d.name = "genexx";
  d.maxaddr = kMaximumAddress;
  d.fc_degree = H5F_CLOSE_WEAK;
  d.fapl_size = sizeof(DriverSettings);
  d.open = driver_open;
  d.close = driver_close;
  d.query = driver_query;
  d.get_eoa = driver_allocated;
  d.set_eoa = driver_set_allocated;
  d.get_eof = driver_end;
  d.read = driver_read;
  d.write = driver_write;
  d.truncate = driver_truncate;
  const H5FD_mem_t one_list[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
  std::copy(std::begin(one_list), std::end(one_list), std::begin(d.fl_map));
  return d;
}

}  // namespace

Id write_access(const std::shared_ptr<WriteOutcome>& outcome) {
  const QuietErrors quiet;
  const H5FD_class_t description = driver();
  const Id registered(H5FDregister(&description));
  Id access(H5Pcreate(H5P_FILE_ACCESS));
  const DriverSettings settings{&outcome};
  if (!registered.valid() || H5Pset_driver(access.get(), registered.get(), &settings) < 0) {
    throw RuntimeError("the HDF5 library refuses our way of writing: " + last_error());
  }
  return access;
}

}  // namespace genexx::hdf5
