// SPDX-License-Identifier: Apache-2.0
#include "io/gene_order.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "engine/error.h"
#include "io/number_text.h"
#include "io/probe_map.h"
#include "io/tab_fields.h"
#include "io/text_reader.h"
#include "io/utf8_text.h"

namespace genexx {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What a chromosome is sorted by: its kind, its number, its text.
using ChromosomeKey = std::tuple<int, std::int64_t, std::string>;

ChromosomeKey key_of(std::string name) {
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
  };
  if (name.size() > 3 && lower(name.substr(0, 3)) == "chr") name.erase(0, 3);
  const std::string text = lower(name);
  if (text == "m" || text == "mt" || text.rfind("mito", 0) == 0) return {2, 0, text};
  const auto digits = static_cast<std::size_t>(std::find_if_not(name.begin(), name.end(), is_digit) - name.begin());
  constexpr std::size_t kMostDigits = 3, kShort = 5;
  if (name.size() > kShort || name.find_first_of("_.") != std::string::npos || digits > kMostDigits)
    return {3, 0, name};
  if (digits == 0) return {1, 0, name};
  std::int64_t number = 0;
  std::from_chars(name.data(), name.data() + digits, number);
  return {0, number, name.substr(digits)};
}

std::int64_t coordinate(const TextReader& reader, std::string_view field, int number, const char* name) {
  std::int64_t value = -1;
  const std::from_chars_result read = std::from_chars(field.data(), field.data() + field.size(), value);
  if (field.empty() || read.ec != std::errc() || read.ptr != field.data() + field.size() || value < 0)
    reader.fail(fmt::format("field {} ({}) is '{}', expected a coordinate, a whole number from 0 on", number, name,
                            utf8_text(std::string(field))));
  return value;
}

// Cuts the next `key "value";` or `key value;` off a GTF's attributes. False at their end.
bool next_attribute(std::string_view& left, std::string_view& key, std::string_view& value) {
  left.remove_prefix(std::min(left.find_first_not_of(" ;\t"), left.size()));
  if (left.empty()) return false;
  key = left.substr(0, left.find_first_of(" ;"));
  left.remove_prefix(key.size());
  left.remove_prefix(std::min(left.find_first_not_of(' '), left.size()));
  const bool quoted = !left.empty() && left.front() == '"';
  if (quoted) left.remove_prefix(1);
  value = left.substr(0, left.find(quoted ? '"' : ';'));
  left.remove_prefix(std::min(value.size() + 1, left.size()));
  return true;
}

// The value of an attribute; "" where it is not there.
std::string attribute(std::string_view attributes, std::string_view wanted) {
  for (std::string_view key, value; next_attribute(attributes, key, value);)
    if (key == wanted) return utf8_text(std::string(value));
  return "";
}

constexpr std::size_t kGtfFields = 9;

std::vector<std::string_view> tab_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (TabFields cut(line); !cut.done();) fields.push_back(cut.next());
  return fields;
}

bool is_skipped(std::string_view line) { return without_tail(line).empty() || line.front() == '#'; }

// Which lines of a GTF make genes.
enum class Features { gene, any };

// The place that a line of a GTF gives; no id where its feature is not asked for.
GenePlace place_of(const TextReader& reader, std::string_view line, Features features) {
  const std::vector<std::string_view> fields = tab_fields(line);
  if (fields.size() != kGtfFields)
    reader.fail(
        fmt::format("{} fields separated by tabs, expected the 9 of a GTF (seqname, source, feature, start, "
                    "end, score, strand, frame, attributes)",
                    fields.size()));
  if (features == Features::gene && fields[2] != "gene") return {};
  if (fields[0].empty()) reader.fail("field 1 (seqname) is empty, expected the name of a chromosome");
  GenePlace place = {.id = attribute(fields[8], "gene_id"),
                     .name = attribute(fields[8], "gene_name"),
                     .chromosome = utf8_text(std::string(fields[0])),
                     .start = coordinate(reader, fields[3], 4, "start")};
  if (place.name.empty()) place.name = attribute(fields[8], "gene_symbol");
  if (place.id.empty())
    reader.fail(fmt::format("field 9 (attributes) is '{}', expected gene_id \"...\"; of a GTF{}",
                            utf8_text(std::string(fields[8].substr(0, 80))),
                            fields[8].find('=') != std::string_view::npos
                                ? "; this looks like GFF3, convert it or give a table of gene, chromosome, start"
                                : ""));
  return place;
}

// Genes in the order of the file, each with the least start among its lines on its first chromosome.
class Places {
 public:
  void add(GenePlace place) {
    place.id = without_version(place.id);
    const auto [at, is_new] = by_id_.emplace(place.id, genes_.size());
    if (is_new) return genes_.push_back(std::move(place));
    GenePlace& known = genes_[at->second];
    if (known.chromosome == place.chromosome) known.start = std::min(known.start, place.start);
  }
  std::vector<GenePlace> take() { return std::move(genes_); }
  bool empty() const { return genes_.empty(); }

 private:
  std::unordered_map<std::string, std::size_t> by_id_;
  std::vector<GenePlace> genes_;
};

std::vector<GenePlace> read_gtf(TextReader& reader) {
  Places places;
  for (const Features features : {Features::gene, Features::any}) {
    reader.rewind();
    for (std::string_view line; reader.next(line);) {
      if (is_skipped(line)) continue;
      GenePlace place = place_of(reader, line, features);
      if (!place.id.empty()) places.add(std::move(place));
    }
    if (!places.empty()) break;
  }
  return places.take();
}

// The column of a table's header that is called one of `names`.
std::size_t column_of(const TextReader& reader, const std::vector<std::string>& header,
                      std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  }
  std::string list;
  for (const std::string& column : header) list += (list.empty() ? "'" : ", '") + column + "'";
  reader.fail(
      fmt::format("the columns are {}, expected gene, chromosome and start among them ('{}' is not there), or "
                  "the 9 fields of a GTF",
                  list, names.front()));
}

std::vector<GenePlace> read_table(TextReader& reader) {
  static constexpr std::array<std::string_view, 4> kGene = {"gene", "gene_id", "gene_name", "gene_symbol"};
  static constexpr std::array<std::string_view, 4> kChromosome = {"chromosome", "chrom", "chr", "seqname"};
  static constexpr std::array<std::string_view, 3> kStart = {"start", "gene_start", "position"};
  Places places;
  std::vector<std::string> header, fields;
  std::array<std::size_t, 3> at{};
  char delimiter = ',';
  reader.rewind();
  for (std::string_view line; reader.next(line);) {
    if (is_skipped(line)) continue;
    const bool is_header = header.empty();
    if (is_header) delimiter = line.find('\t') != std::string_view::npos ? '\t' : ',';
    if (!split_fields(line, delimiter, is_header ? header : fields))
      reader.fail("a quote that is not closed, or text behind one");
    if (is_header) {
      at = {column_of(reader, header, kGene), column_of(reader, header, kChromosome),
            column_of(reader, header, kStart)};
      continue;
    }
    if (fields.size() != header.size())
      reader.fail(fmt::format("{} fields, expected the {} of the header", fields.size(), header.size()));
    for (const std::size_t i : {at[0], at[1]})
      if (fields[i].empty()) reader.fail(fmt::format("field {} ({}) is empty, expected a name", i + 1, header[i]));
    places.add({.id = utf8_text(fields[at[0]]),
                .name = "",
                .chromosome = utf8_text(fields[at[1]]),
                .start = coordinate(reader, fields[at[2]], static_cast<int>(at[2]) + 1, header[at[2]].c_str())});
  }
  return places.take();
}

// Whether the first line that says something has the fields of a GTF.
bool is_gtf(TextReader& reader) {
  for (std::string_view line; reader.next(line);)
    if (!is_skipped(line)) {
      const std::vector<std::string_view> fields = tab_fields(line);
      return fields.size() == kGtfFields && std::all_of(fields[3].begin(), fields[3].end(), is_digit);
    }
  throw InputError(reader.path() + " has no genes, expected a GTF or a table with the columns gene, chromosome, start");
}

std::string examples(std::span<const std::string> names) {
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, names.size()); ++i) list += (i ? ", " : "") + names[i];
  return list;
}

}  // namespace

bool chromosome_before(const std::string& a, const std::string& b) { return key_of(a) < key_of(b); }

GeneOrder read_gene_order(const std::string& path) {
  TextReader reader(path);
  GeneOrder order{path, is_gtf(reader) ? read_gtf(reader) : read_table(reader)};
  if (order.genes.empty()) throw InputError(path + " has no genes, expected at least one line with gene and start");
  std::unordered_map<std::string, ChromosomeKey> keys;
  for (const GenePlace& g : order.genes) keys.try_emplace(g.chromosome, key_of(g.chromosome));
  std::stable_sort(order.genes.begin(), order.genes.end(), [&](const GenePlace& a, const GenePlace& b) {
    if (a.chromosome == b.chromosome) return a.start < b.start;
    const ChromosomeKey &of_a = keys.at(a.chromosome), &of_b = keys.at(b.chromosome);
    return of_a != of_b ? of_a < of_b : a.chromosome < b.chromosome;
  });
  return order;
}

GeneRanks rank_genes(const GeneOrder& order, std::span<const std::string> names,
                     std::span<const std::string> other_names, double least) {
  std::unordered_map<std::string, std::int64_t> rank_of;
  for (std::size_t i = 0; i < order.genes.size(); ++i) rank_of.emplace(order.genes[i].id, static_cast<std::int64_t>(i));
  for (std::size_t i = 0; i < order.genes.size(); ++i)
    if (!order.genes[i].name.empty()) rank_of.emplace(order.genes[i].name, static_cast<std::int64_t>(i));
  const auto find = [&](const std::string& name) {
    const auto found = rank_of.find(without_version(name));
    return found == rank_of.end() ? std::int64_t{-1} : found->second;
  };
  GeneRanks ranks;
  for (std::size_t j = 0; j < names.size(); ++j) {
    std::int64_t rank = find(names[j]);
    if (rank < 0 && !other_names.empty()) rank = find(other_names[j]);
    ranks.rank.push_back(rank);
    ranks.found += rank >= 0 ? 1 : 0;
  }
  if (ranks.found > 0 && static_cast<double>(ranks.found) >= least * static_cast<double>(names.size())) return ranks;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, order.genes.size()); ++i)
    known.push_back(order.genes[i].name.empty() ? order.genes[i].id
                                                : order.genes[i].id + " (" + order.genes[i].name + ")");
  throw RefusedError(fmt::format(
      "{}: {} of the {} genes of the data are in it, expected at least {:.0f} %; its genes are called {}, those of the "
      "data {}. Give the annotation of the same species and naming, or another --gene-column.",
      order.path, ranks.found, names.size(), 100 * least, examples(known), examples(names)));
}

}  // namespace genexx
