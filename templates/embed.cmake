# Writes a C++ source that holds the text of each FILES entry, for templates/builtin.cc.
#   cmake -DOUT=file.cc "-DFILES=a.md.mustache;b.md.mustache" -P embed.cmake
# Files are read as text: no byte of a template is changed on the way.
set(entries "")
foreach(path IN LISTS FILES)
  get_filename_component(name "${path}" NAME)
  string(REGEX REPLACE "\\.md\\.mustache$" "" name "${name}")
  file(READ "${path}" text)
  string(FIND "${text}" ")template\"" bad)
  if(NOT bad EQUAL -1)
    message(FATAL_ERROR "${path}: the characters )template\" cannot stand in a built-in template")
  endif()
  string(APPEND entries "    {\"${name}\", R\"template(${text})template\"},\n")
endforeach()
file(WRITE "${OUT}.tmp" "// Made by templates/embed.cmake; changes belong in templates/card.
#include \"templates/embedded.h\"

namespace qbuild::templates {
namespace {

constexpr EmbeddedFile kFiles[] = {
${entries}};

}  // namespace

std::span<const EmbeddedFile> embedded_files() { return kFiles; }

}  // namespace qbuild::templates
")
file(RENAME "${OUT}.tmp" "${OUT}")
