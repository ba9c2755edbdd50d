# SPDX-License-Identifier: Apache-2.0
# Sets GENEXX_REPORT_PAGE to the generated source that holds the page of the HTML report.
set(_report ${PROJECT_SOURCE_DIR}/tools/report)
file(GLOB _report_files CONFIGURE_DEPENDS ${_report}/*.html ${_report}/*.css ${_report}/*.js ${_report}/vendor/*.js)
set(GENEXX_REPORT_PAGE ${PROJECT_BINARY_DIR}/generated/io/report_page.cc)
add_custom_command(OUTPUT ${GENEXX_REPORT_PAGE}
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${_report} -DOUTPUT=${GENEXX_REPORT_PAGE} -P ${_report}/EmbedReport.cmake
  DEPENDS ${_report_files} ${_report}/EmbedReport.cmake
  COMMENT "Embedding the page of the report")
