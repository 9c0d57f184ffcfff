# Standard headers that most files include, compiled once per room: a quarter of the time of a build. Files
# include what they use all the same; the preset `tidy` compiles without.
set(QBUILD_PRECOMPILED <algorithm> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set> <span>
  <string> <string_view> <utility> <variant> <vector>)

# One folder, one static library.
#   qbuild_room(NAME SOURCES a.cc ... HEADERS a.h ... USES lower rooms ... LINKS outside libraries ...)
# USES is checked against the drawing by tests/tidy; HEADERS are compiled alone by the target
# all_verify_interface_header_sets.
function(qbuild_room NAME)
  cmake_parse_arguments(ROOM "" "" "SOURCES;HEADERS;USES;LINKS" ${ARGN})
  add_library(qbuild_${NAME} STATIC ${ROOM_SOURCES})
  target_sources(qbuild_${NAME} PUBLIC FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}" FILES ${ROOM_HEADERS})
  set_target_properties(qbuild_${NAME} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_include_directories(qbuild_${NAME} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_precompile_headers(qbuild_${NAME} PRIVATE ${QBUILD_PRECOMPILED})
  list(TRANSFORM ROOM_USES PREPEND qbuild_)
  target_link_libraries(qbuild_${NAME} PUBLIC ${ROOM_USES} PRIVATE qbuild_warnings ${ROOM_LINKS})
endfunction()

# The tests of one room: tests/NAME/*_test.cc as one program, each test case known to ctest.
#   qbuild_tests(NAME [REPLACES] SOURCES a_test.cc ... USES rooms ... LINKS ... DEFINES ...)
# REPLACES: something that it links stands in for parts of a room.
function(qbuild_tests NAME)
  cmake_parse_arguments(T "REPLACES" "" "SOURCES;USES;LINKS;DEFINES" ${ARGN})
  add_executable(${NAME}_tests ${T_SOURCES})
  list(TRANSFORM T_USES PREPEND qbuild_)
  target_link_libraries(${NAME}_tests PRIVATE ${T_USES} qbuild_warnings GTest::gmock_main ${T_LINKS})
  # Compiled often, run briefly. What is tested keeps its optimization: of equal inline functions (those of
  # templates) the linker takes the first, so the rooms come before the tests.
  target_compile_options(${NAME}_tests PRIVATE -O0)
  if(NOT T_REPLACES)
    set(rooms qbuild_base ${T_USES})
    list(REMOVE_DUPLICATES rooms)
    list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_FILE:\\1>")
    target_link_options(${NAME}_tests PRIVATE LINKER:--whole-archive ${rooms} LINKER:--no-whole-archive)
  endif()
  target_compile_definitions(${NAME}_tests PRIVATE QBUILD_SOURCE_DIR="${CMAKE_SOURCE_DIR}" ${T_DEFINES})
  # Sanitizers are ten to a hundred times as slow.
  set(seconds 600)
  if(QBUILD_SANITIZE)
    set(seconds 3600)
  endif()
  gtest_discover_tests(${NAME}_tests TEST_PREFIX "${NAME}/" DISCOVERY_MODE PRE_TEST
    PROPERTIES TIMEOUT ${seconds})
endfunction()
