// SPDX-License-Identifier: Apache-2.0
#include "engine/cache_directory.h"

#include <cstdlib>

#include <doctest/doctest.h>

using namespace genexx;

namespace {

// Sets a variable of the environment for a scope; null takes it away.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value ? setenv(name, value, 1) : unsetenv(name);
  }
  ~Variable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("cache_directory: GENEXX_CACHE before XDG_CACHE_HOME before HOME, off means none") {
  const Variable home("HOME", "/home/me"), xdg("XDG_CACHE_HOME", "/fast/cache");
  {
    const Variable own("GENEXX_CACHE", "relative/too");
    CHECK(cache_directory() == "relative/too");
  }
  {
    const Variable own("GENEXX_CACHE", "off");
    CHECK(cache_directory() == std::nullopt);
  }
  const Variable own("GENEXX_CACHE", nullptr);
  CHECK(cache_directory() == "/fast/cache/genexx");
  const Variable relative("XDG_CACHE_HOME", "cache");
  CHECK(cache_directory() == "/home/me/.cache/genexx");
  const Variable homeless("HOME", nullptr);
  CHECK(cache_directory() == std::nullopt);
}
