// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/hdf5_filters.h"

namespace genexx::hdf5 {
namespace {

// Once per process: no plugins, our LZF filter. The library's own state is the only place HDF5 keeps either.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    const QuietErrors quiet;
    H5PLset_loading_state(0);
    register_lzf();
  });
}

[[noreturn]] void fail_open(const std::string& path) {
  const std::string error = last_error();
  if (error.find("truncated") != std::string::npos) {
    throw InputError(
        fmt::format("{}: the HDF5 file is truncated ({}). The copy or download is not complete: fetch it "
                    "again.",
                    path, error));
  }
  throw InputError(
      fmt::format("{}: damaged HDF5 file ({}). Check it with h5debug or h5dump, or fetch it again.", path, error));
}

std::int64_t regular_file_size(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    throw InputError(
        fmt::format("{}: cannot open the file ({}). Check the name and the permissions.", path, std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) {
    throw InputError(fmt::format("{}: is a directory, expected an HDF5 file.", path));
  }
  return status.st_size;
}

const char* link_name(H5L_type_t type) {
  if (type == H5L_TYPE_SOFT) return "a soft link";
  if (type == H5L_TYPE_EXTERNAL) return "an external link";
  return "a user-defined link";
}

extern "C" herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

extern "C" herr_t keep_innermost(unsigned, const H5E_error2_t* error, void* text) {
  *static_cast<std::string*>(text) = error->desc ? error->desc : "";
  return 1;  // the walk goes upward: the first is the innermost
}

void refuse_foreign_storage(const Node& node) {
  const Id plist(H5Dget_create_plist(node.id()));
  if (!plist.valid()) node.fail(fmt::format("cannot read how the dataset is stored ({})", last_error()));
  if (H5Pget_layout(plist.get()) == H5D_VIRTUAL) {
    node.fail(
        "is a virtual dataset, which takes its values from other files. Expected values in the file itself; make a "
        "plain copy with h5repack.");
  }
  if (H5Pget_external_count(plist.get()) > 0) {
    node.fail(
        "has external storage: its values lie in another file. Expected values in the file itself; make a plain "
        "copy with h5repack.");
  }
}

}  // namespace

Id& Id::operator=(Id&& other) noexcept {
  std::swap(id_, other.id_);
  return *this;
}

Id::~Id() {
  if (id_ < 0) return;
  const QuietErrors quiet;
  H5Idec_ref(id_);
}

QuietErrors::QuietErrors() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietErrors::~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

std::string last_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &text);
  return text.empty() ? "unknown error" : text;
}

Node::Node(Id id, NodeKind kind, std::string path, std::shared_ptr<const FileFacts> file)
    : id_(std::make_shared<const Id>(std::move(id))), kind_(kind), path_(std::move(path)), file_(std::move(file)) {}

std::string Node::place() const { return fmt::format("{}: {}", file_->name, path_); }

void Node::fail(const std::string& problem) const { throw InputError(place() + ": " + problem); }

bool Node::has(const std::string& relative_path) const {
  if (!is_group()) return false;
  const QuietErrors quiet;
  for (std::size_t end = relative_path.find('/');; end = relative_path.find('/', end + 1)) {
    if (H5Lexists(id(), relative_path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
    if (end == std::string::npos) return true;
  }
}

Node Node::open_component(const std::string& name) const {
  const QuietErrors quiet;
  const std::string member = (path_ == "/" ? "" : path_) + "/" + name;
  const Node broken(Id(), NodeKind::group, member, file_);  // only to name the place in messages
  if (!is_group()) fail(fmt::format("is a dataset, expected a group with a member '{}'", name));
  if (name.empty() || name == "." || name == "..") broken.fail("is not a usable HDF5 path");
  H5L_info_t link;
  if (H5Lget_info(id(), name.c_str(), &link, H5P_DEFAULT) < 0) broken.fail("is missing");
  if (link.type != H5L_TYPE_HARD) {
    broken.fail(
        fmt::format("is {}, which may lead out of the file. Expected the object itself; make a plain copy with "
                    "h5copy or h5repack.",
                    link_name(link.type)));
  }
  Id opened(H5Oopen(id(), name.c_str(), H5P_DEFAULT));
  if (!opened.valid()) broken.fail(fmt::format("cannot be opened: damaged file ({})", last_error()));
  const H5I_type_t type = H5Iget_type(opened.get());
  if (type == H5I_GROUP) return Node(std::move(opened), NodeKind::group, member, file_);
  if (type != H5I_DATASET) broken.fail("is neither a group nor a dataset");
  Node dataset(std::move(opened), NodeKind::dataset, member, file_);
  refuse_foreign_storage(dataset);
  return dataset;
}

Node Node::open(const std::string& relative_path) const {
  Node node = *this;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = relative_path.find('/', begin);
    node = node.open_component(relative_path.substr(begin, end - begin));
    if (end == std::string::npos) return node;
    begin = end + 1;
  }
}

Node Node::open_group(const std::string& relative_path) const {
  Node node = open(relative_path);
  if (!node.is_group()) node.fail("is a dataset, expected a group");
  return node;
}

Node Node::open_dataset(const std::string& relative_path) const {
  Node node = open(relative_path);
  if (!node.is_dataset()) node.fail("is a group, expected a dataset");
  return node;
}

Node Node::open_reference(const hobj_ref_t& reference) const {
  const QuietErrors quiet;
  Id target(H5Rdereference2(id(), H5P_DEFAULT, H5R_OBJECT, &reference));
  if (!target.valid()) fail(fmt::format("its object reference leads nowhere ({})", last_error()));
  if (H5Iget_type(target.get()) != H5I_DATASET) fail("its object reference does not lead to a dataset");
  std::array<char, 1024> name{};
  const ssize_t length = H5Iget_name(target.get(), name.data(), name.size());
  Node node(std::move(target), NodeKind::dataset, length > 0 ? name.data() : path_ + " (referenced)", file_);
  refuse_foreign_storage(node);
  return node;
}

std::vector<std::string> Node::names() const {
  const QuietErrors quiet;
  std::vector<std::string> names;
  if (!is_group()) fail("is a dataset, expected a group");
  hsize_t index = 0;
  if (H5Literate(id(), H5_INDEX_NAME, H5_ITER_INC, &index, collect_name, &names) < 0) {
    fail(fmt::format("the members cannot be listed: damaged file ({})", last_error()));
  }
  return names;
}

bool has_signature(const std::string& path) {
  static constexpr char kSignature[] = "\x89HDF\r\n\x1a\n";
  std::ifstream file(path, std::ios::binary);
  for (std::int64_t offset = 0; file; offset = offset == 0 ? 512 : 2 * offset) {
    std::array<char, 8> bytes{};
    file.seekg(offset);
    if (!file.read(bytes.data(), bytes.size())) return false;
    if (std::equal(bytes.begin(), bytes.end(), kSignature)) return true;
  }
  return false;
}

Node open_file(const std::string& path) {
  prepare_library();
  const QuietErrors quiet;
  const std::int64_t bytes = regular_file_size(path);
  if (!has_signature(path)) {
    throw InputError(
        fmt::format("{}: not an HDF5 file: the signature is missing in its {} bytes. Check what the file is "
                    "with `genexx inspect`.",
                    path, bytes));
  }
  const Id access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_file_locking(access.get(), 0, 1);
  Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
  // A file that this process has open already must be opened with the same locking.
  if (!file.valid()) file = Id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  if (!file.valid()) fail_open(path);
  Id root(H5Gopen2(file.get(), "/", H5P_DEFAULT));
  if (!root.valid()) fail_open(path);
  return Node(std::move(root), NodeKind::group, "/",
              std::make_shared<const FileFacts>(FileFacts{path, bytes, path, nullptr}));
}

}  // namespace genexx::hdf5
