// SPDX-License-Identifier: Apache-2.0
// Numbers and fields in text tables, independent of the locale.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace genexx {

// What a field of a numeric table holds.
enum class NumberField { number, not_a_number, out_of_range };

// Reads one field as a float. Spaces around it, one leading '+' and quotes around it are allowed; an empty field and
// NA, N/A, nan, null (any case) give NaN, inf and infinity an infinity. Numbers below the smallest float give 0;
// numbers above the largest give out_of_range. A decimal comma gives not_a_number.
NumberField parse_number(std::string_view field, float& value);

// Splits a line at `delimiter`. A field may stand in double quotes, with "" for a quote inside. Returned fields are
// unquoted. Returns false where a quote is not closed or text follows a closing quote.
bool split_fields(std::string_view line, char delimiter, std::vector<std::string>& fields);

}  // namespace genexx
