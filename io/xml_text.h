// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace genexx {

// Replaces the predefined XML entities (&amp; &lt; &gt; &quot; &apos;) and character references (&#228; &#xE4;) by what
// they stand for, as UTF-8. Anything else that begins with '&' is kept. Source: XML 1.0, sections 4.1 and 4.6.
std::string decode_xml_entities(std::string_view text);

}  // namespace genexx
