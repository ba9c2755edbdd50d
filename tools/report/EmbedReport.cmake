# SPDX-License-Identifier: Apache-2.0
# Build step: puts style, chart library and scripts into the template and writes it as one C++ string.
#   cmake -DSOURCE=tools/report -DOUTPUT=page.cc -P EmbedReport.cmake
file(READ ${SOURCE}/template.html _page)
file(READ ${SOURCE}/report.css _style)
file(READ ${SOURCE}/vendor/chart.min.js _library)
set(_script "")
foreach(_name page charts sections homology tuning report)
  file(READ ${SOURCE}/${_name}.js _part)
  string(APPEND _script "${_part}")
endforeach()
foreach(_name style library script)
  if("${_${_name}}" MATCHES "</script|</style")
    message(FATAL_ERROR "The ${_name} of the report would end its own element")
  endif()
endforeach()
string(REPLACE "{{style}}" "${_style}" _page "${_page}")
string(REPLACE "{{chart_library}}" "${_library}" _page "${_page}")
string(REPLACE "{{script}}" "${_script}" _page "${_page}")
file(WRITE ${OUTPUT} "// Made by tools/report/EmbedReport.cmake from the files beside it.\n"
  "namespace genexx {\nextern const char kReportPage[];\nconst char kReportPage[] = R\"~~page~~(${_page})~~page~~\";\n"
  "}  // namespace genexx\n")
