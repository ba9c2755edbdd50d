// SPDX-License-Identifier: Apache-2.0
#include "engine/recipe.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "engine/error.h"

namespace genexx {
namespace {

struct KindName {
  Recipe::InputKind kind;
  const char* name;
};
constexpr KindName kInputKinds[] = {{Recipe::InputKind::counts, "counts"},
                                    {Recipe::InputKind::log_normalized, "log-normalized"},
                                    {Recipe::InputKind::scaled, "scaled"}};
struct ScalingName {
  Recipe::Scaling kind;
  const char* name;
};
constexpr ScalingName kScalings[] = {
    {Recipe::Scaling::none, "none"}, {Recipe::Scaling::z_score, "z-score"}, {Recipe::Scaling::min_max, "min-max"}};
struct MissingName {
  Recipe::MissingGene kind;
  const char* name;
};
constexpr MissingName kMissing[] = {{Recipe::MissingGene::zero, "zero"}, {Recipe::MissingGene::mean, "mean"}};

template <class Names, class Kind>
const char* name_in(const Names& names, Kind kind) {
  for (const auto& entry : names)
    if (entry.kind == kind) return entry.name;
  return "?";
}

[[noreturn]] void refuse(const std::string& field, const std::string& found, const std::string& expected) {
  throw InputError("recipe." + field + " is " + found + ", expected " + expected +
                   "; the model file is damaged or was written by another program: train again");
}

template <class Names>
auto kind_in(const Names& names, const char* field, const std::string& text) {
  std::string expected;
  for (const auto& entry : names) {
    if (text == entry.name) return entry.kind;
    expected += (expected.empty() ? "'" : ", '") + std::string(entry.name) + "'";
  }
  refuse(field, "'" + text + "'", expected);
}

// [r or 1, width] statistics must be whole rows; returns r, or 0 when empty.
template <class T>
std::int64_t checked_replicas(const char* field, const std::vector<T>& values, std::int64_t width) {
  const std::int64_t count = static_cast<std::int64_t>(values.size());
  if (count == 0) return 0;
  if (width == 0 || count % width != 0)
    refuse(field, std::to_string(count) + " numbers", "a multiple of " + std::to_string(width));
  return count / width;
}

void check_finite(const char* field, const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) refuse(field, "not finite at element " + std::to_string(i), "a finite number");
}

template <class T>
void add_tensor(std::vector<NamedTensor>& tensors, const char* name, const std::vector<T>& values,
                const std::vector<std::int64_t>& shape, DType dtype) {
  if (values.empty()) return;
  NamedTensor tensor{"recipe." + std::string(name), dtype, shape, {}};
  tensor.bytes.resize(values.size() * sizeof(T));
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  tensors.push_back(std::move(tensor));
}

template <class T>
std::vector<T> take_tensor(const std::vector<NamedTensor>& tensors, const char* name, DType dtype) {
  for (const NamedTensor& tensor : tensors) {
    if (tensor.name != "recipe." + std::string(name)) continue;
    if (tensor.dtype != dtype) refuse(name, name_of(tensor.dtype), name_of(dtype));
    if (tensor.bytes.size() % sizeof(T) != 0)
      refuse(name, std::to_string(tensor.bytes.size()) + " bytes", "whole numbers of " + std::to_string(sizeof(T)));
    std::vector<T> values(tensor.bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }
  return {};
}

template <class T>
T field(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) refuse(name, "missing", "a value");
  try {
    return found->get<T>();
  } catch (const nlohmann::json::exception&) {
    refuse(name, "of type " + std::string(found->type_name()), "another type");
  }
}

}  // namespace

std::int64_t Recipe::replicas() const {
  const std::int64_t g = std::max<std::int64_t>(genes(), 1), l = std::max<std::int64_t>(library_genes(), 1);
  const auto rows = [](std::size_t count, std::int64_t width) { return static_cast<std::int64_t>(count) / width; };
  return std::max({std::int64_t{1}, rows(shift.size(), g), rows(factor.size(), g), rows(mask.size(), g),
                   rows(target_sum.size(), 1), rows(library_share.size(), l)});
}

std::vector<double> Recipe::effective_factor(std::int64_t replica_count,
                                             const std::vector<std::uint8_t>& missing_gene) const {
  const std::size_t g = gene_ids.size();
  std::vector<double> result(static_cast<std::size_t>(replica_count) * g);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double scale = factor.empty() ? 1.0 : factor[i % factor.size()];
    const bool used = mask.empty() || mask[i % mask.size()] != 0;
    const bool filled = missing == MissingGene::mean && !missing_gene.empty() && missing_gene[i % g] != 0;
    result[i] = used && !filled ? scale : 0.0;
  }
  return result;
}

std::vector<double> Recipe::effective_shift(std::int64_t replica_count) const {
  std::vector<double> result(static_cast<std::size_t>(replica_count) * gene_ids.size(), 0.0);
  for (std::size_t i = 0; i < result.size() && !shift.empty(); ++i) result[i] = shift[i % shift.size()];
  return result;
}

void check(const Recipe& r) {
  const std::int64_t g = r.genes(), l = r.library_genes();
  if (g == 0) refuse("gene_ids", "empty", "at least one gene");
  if (!r.gene_symbols.empty() && r.gene_symbols.size() != r.gene_ids.size())
    refuse("gene_symbols", std::to_string(r.gene_symbols.size()) + " names", std::to_string(g) + " or none");
  if (!r.library_gene_symbols.empty() && r.library_gene_symbols.size() != r.library_gene_ids.size())
    refuse("library_gene_symbols", std::to_string(r.library_gene_symbols.size()) + " names",
           std::to_string(l) + " or none");
  const std::int64_t most = r.replicas();
  const auto expect_replicas = [&](const char* name, std::int64_t found) {
    if (found != 0 && found != 1 && found != most)
      refuse(name, "for " + std::to_string(found) + " replicas", "1 or " + std::to_string(most));
  };
  expect_replicas("shift", checked_replicas("shift", r.shift, g));
  expect_replicas("factor", checked_replicas("factor", r.factor, g));
  expect_replicas("mask", checked_replicas("mask", r.mask, g));
  expect_replicas("target_sum", checked_replicas("target_sum", r.target_sum, 1));
  expect_replicas("library_share", checked_replicas("library_share", r.library_share, l));
  if (r.target_sum.empty() != r.library_share.empty())
    refuse("library_share", r.library_share.empty() ? "missing" : "present", "to come with target_sum");
  if ((r.scaling == Recipe::Scaling::none) != (r.shift.empty() && r.factor.empty()))
    refuse("scaling", std::string("'") + name_in(kScalings, r.scaling) + "'",
           "'none' exactly when there are no shift and factor");
  check_finite("shift", r.shift);
  check_finite("factor", r.factor);
  check_finite("target_sum", r.target_sum);
  check_finite("library_share", r.library_share);
  if (!(r.clip >= 0) || !std::isfinite(r.clip)) refuse("clip", std::to_string(r.clip), "0 or a positive number");
}

nlohmann::json to_json(const Recipe& r) {
  return {{"gene_ids", r.gene_ids},
          {"gene_symbols", r.gene_symbols},
          {"input", name_in(kInputKinds, r.input)},
          {"library_gene_ids", r.library_gene_ids},
          {"library_gene_symbols", r.library_gene_symbols},
          {"log1p", r.log1p},
          {"scaling", name_in(kScalings, r.scaling)},
          {"clip", r.clip},
          {"missing", name_in(kMissing, r.missing)}};
}

std::vector<NamedTensor> statistics(const Recipe& r) {
  const std::int64_t g = r.genes(), l = r.library_genes();
  const auto rows = [](std::size_t count, std::int64_t width) {
    return width > 0 ? static_cast<std::int64_t>(count) / width : 0;
  };
  std::vector<NamedTensor> tensors;
  add_tensor(tensors, "shift", r.shift, {rows(r.shift.size(), g), g}, DType::f64);
  add_tensor(tensors, "factor", r.factor, {rows(r.factor.size(), g), g}, DType::f64);
  add_tensor(tensors, "mask", r.mask, {rows(r.mask.size(), g), g}, DType::u8);
  add_tensor(tensors, "target_sum", r.target_sum, {rows(r.target_sum.size(), 1)}, DType::f64);
  add_tensor(tensors, "library_share", r.library_share, {rows(r.library_share.size(), l), l}, DType::f64);
  return tensors;
}

Recipe recipe_from(const nlohmann::json& json, const std::vector<NamedTensor>& tensors) {
  if (!json.is_object()) throw InputError("recipe is a JSON " + std::string(json.type_name()) + ", expected an object");
  Recipe r;
  r.gene_ids = field<std::vector<std::string>>(json, "gene_ids");
  r.gene_symbols = field<std::vector<std::string>>(json, "gene_symbols");
  r.input = kind_in(kInputKinds, "input", field<std::string>(json, "input"));
  r.library_gene_ids = field<std::vector<std::string>>(json, "library_gene_ids");
  r.library_gene_symbols = field<std::vector<std::string>>(json, "library_gene_symbols");
  r.log1p = field<bool>(json, "log1p");
  r.scaling = kind_in(kScalings, "scaling", field<std::string>(json, "scaling"));
  r.clip = field<double>(json, "clip");
  r.missing = kind_in(kMissing, "missing", field<std::string>(json, "missing"));
  r.shift = take_tensor<double>(tensors, "shift", DType::f64);
  r.factor = take_tensor<double>(tensors, "factor", DType::f64);
  r.mask = take_tensor<std::uint8_t>(tensors, "mask", DType::u8);
  r.target_sum = take_tensor<double>(tensors, "target_sum", DType::f64);
  r.library_share = take_tensor<double>(tensors, "library_share", DType::f64);
  check(r);
  return r;
}

}  // namespace genexx
