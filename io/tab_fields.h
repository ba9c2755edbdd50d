// SPDX-License-Identifier: Apache-2.0
// The fields of a line that is separated by tabs and knows no quotes.
#pragma once

#include <algorithm>
#include <string_view>

namespace genexx {

class TabFields {
 public:
  // The text must outlive the object and the fields.
  explicit TabFields(std::string_view line) : line_(line) {}

  // Whether all fields were taken. An empty line has one empty field.
  bool done() const { return at_ > line_.size(); }

  std::string_view next() {
    const std::size_t stop = std::min(line_.find('\t', at_), line_.size());
    const std::string_view field = line_.substr(at_, stop - at_);
    at_ = stop + 1;
    return field;
  }

 private:
  std::string_view line_;
  std::size_t at_ = 0;
};

// The line without the tabs and spaces at its end, which spreadsheets add.
inline std::string_view without_tail(std::string_view line) { return line.substr(0, line.find_last_not_of("\t ") + 1); }

}  // namespace genexx
