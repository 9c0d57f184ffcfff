# The strictest level, as errors, for every target of ours and none of others'.
add_library(qbuild_warnings INTERFACE)
target_compile_options(qbuild_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  # Designated initializers name what differs; the rest has its defaults.
  -Wno-missing-field-initializers
  # GCC 12 sees overlapping copies in std::string's operator+ that are not there (its bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)

# No a*b+c is fused behind our back: encoders and measurements give the same bytes on every machine
# (docs/decisions/0003-same-bytes-everywhere.md). Where fusion is wanted, fma is written.
add_compile_options(-ffp-contract=off)

if(QBUILD_SANITIZE)
  add_compile_options(-fsanitize=${QBUILD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${QBUILD_SANITIZE})
  # What sanitizers add hides from GCC what is initialized.
  target_compile_options(qbuild_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

# ccache can keep what was compiled with a precompiled header only then (its manual, "Precompiled headers").
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess)
endif()
