// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm_algorithms.h"

#include <unistd.h>

#include <cctype>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace genexx::gemm {
namespace {

constexpr int kFormat = 1;
constexpr double kClearlyFaster = 0.98;
constexpr std::size_t kDigits = 16;  // of a word

std::string three(std::int64_t a, std::int64_t b, std::int64_t c) {
  return std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(c);
}

// "NVIDIA H200, 132" as part of a file's name: "nvidia-h200-132".
std::string slug(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

std::optional<std::string> text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

std::string to_string(const ProductShape& s) {
  return "r" + std::to_string(s.replicas) + " m" + std::to_string(s.m) + " n" + std::to_string(s.n) + " k" +
         std::to_string(s.k) + " rows " + three(s.a_row, s.b_row, s.c_row) + " strides " +
         three(s.a_stride, s.b_stride, s.c_stride) + " " + (s.transpose_a ? "t" : "n") + (s.transpose_b ? "t" : "n") +
         " " + s.dtype + " " + s.precision + (s.bias ? " bias" : "") + (s.accumulate ? " accumulate" : "") + " align " +
         three(s.a_alignment, s.b_alignment, s.c_alignment) + " workspace " + std::to_string(s.workspace);
}

int alignment_of(std::uintptr_t address, std::int64_t row_bytes, std::int64_t stride_bytes) {
  const std::uintptr_t all =
      address | static_cast<std::uintptr_t>(row_bytes) | static_cast<std::uintptr_t>(stride_bytes) | 256u;
  return static_cast<int>(all & (~all + 1));
}

std::string to_hex(const Algorithm& algorithm) {
  std::string text;
  for (const std::uint64_t word : algorithm) {
    char digits[kDigits + 1];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(word));
    text += digits;
  }
  return text;
}

std::optional<Algorithm> from_hex(const std::string& text) {
  Algorithm algorithm{};
  if (text.size() != kDigits * algorithm.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int c = std::tolower(static_cast<unsigned char>(text[i]));
    if (!std::isxdigit(c)) return std::nullopt;
    algorithm[i / kDigits] =
        algorithm[i / kDigits] << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return algorithm;
}

AlgorithmCache::AlgorithmCache(Options options) : options_(std::move(options)) {
  for (const std::string& seed : options_.seeds) read(seed, Origin::shipped, "shipped algorithms");
  read_file();
}

std::string AlgorithmCache::path() const {
  if (!options_.directory) return "";
  return *options_.directory + "/gemm-" + slug(options_.device) + "-" + slug(options_.library) + ".json";
}

void AlgorithmCache::warn(const std::string& message) {
  if (!warned_ && options_.warn) options_.warn(message);
  warned_ = true;
}

// Of a shipped file for another device or version nothing is taken and nothing said; a user's own must be right.
void AlgorithmCache::read(const std::string& text, Origin origin, const std::string& name) {
  Entries found;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    const bool fits = json.at("format").get<int>() == kFormat &&
                      json.at("device").get<std::string>() == options_.device &&
                      json.at("library").get<std::string>() == options_.library;
    if (!fits && origin == Origin::shipped) return;
    if (!fits) return warn(name + ": it is not of this device, library and version; it is ignored");
    for (const auto& [shape, entry] : json.at("algorithms").items()) {
      const auto algorithm = from_hex(entry.at("algorithm").get<std::string>());
      if (!algorithm)
        return warn(name + ": the algorithm of '" + shape + "' is not 128 hexadecimal digits; the file is ignored");
      found[shape] = {*algorithm, entry.at("microseconds").get<double>()};
    }
  } catch (const nlohmann::json::exception& e) {
    return warn(name + ": it cannot be read (" + e.what() + "); it is ignored");
  }
  (origin == Origin::own ? own_ : shipped_).merge(found);
}

void AlgorithmCache::read_file() {
  if (!options_.directory) return;
  if (const auto text = text_of(path())) read(*text, Origin::own, path());
}

std::optional<TimedAlgorithm> AlgorithmCache::find(const std::string& shape) const {
  for (const Entries* entries : {&own_, &shipped_}) {
    const auto found = entries->find(shape);
    if (found != entries->end()) return found->second;
  }
  return std::nullopt;
}

void AlgorithmCache::keep(const std::string& shape, const TimedAlgorithm& chosen) {
  own_[shape] = chosen;
  if (!lasts()) return;
  read_file();  // what others measured meanwhile; what is known here stays
  if (write()) return;
  write_failed_ = true;
  warn(path() + ": cannot be written, so the algorithms of matrix products chosen now are not kept; set GENEXX_CACHE " +
       "to a directory that can be written, or to off");
}

bool AlgorithmCache::write() {
  nlohmann::json algorithms = nlohmann::json::object();
  for (const auto& [shape, entry] : own_)
    algorithms[shape] = {{"algorithm", to_hex(entry.algorithm)}, {"microseconds", entry.microseconds}};
  const nlohmann::json json = {
      {"format", kFormat}, {"device", options_.device}, {"library", options_.library}, {"algorithms", algorithms}};
  std::error_code error;
  std::filesystem::create_directories(*options_.directory, error);
  const std::string beside = path() + "." + std::to_string(getpid()) + ".new";
  {
    std::ofstream out(beside, std::ios::binary);
    out << json.dump(1) << '\n';
    if (!out.flush()) {
      std::filesystem::remove(beside, error);
      return false;
    }
  }
  std::filesystem::rename(beside, path(), error);
  if (!error) return true;
  std::filesystem::remove(beside, error);
  return false;
}

Algorithm choose(AlgorithmCache& cache, const ProductShape& shape, AlgorithmSource& source) {
  const std::string key = to_string(shape);
  if (const auto kept = cache.find(key))
    if (source.runs(kept->algorithm)) return kept->algorithm;
  const std::vector<Algorithm> ranked = source.ranked();
  if (ranked.empty())
    throw DeviceError("the library of matrix products offers no algorithm for " + key +
                      "; use another precision, or --device cpu");
  if (!cache.lasts()) return ranked.front();
  std::optional<TimedAlgorithm> best;
  for (const Algorithm& algorithm : ranked) {
    const std::optional<double> time = source.microseconds(algorithm);
    if (!time || !std::isfinite(*time)) continue;
    if (!best || *time < kClearlyFaster * best->microseconds) best = TimedAlgorithm{algorithm, *time};
  }
  if (!best) return ranked.front();
  cache.keep(key, *best);
  return best->algorithm;
}

}  // namespace genexx::gemm
