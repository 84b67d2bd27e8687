# The addon as cmake-js builds it: release, sanitizers, and prebuilt binaries by a cross compiler. node-gyp builds the
# same sources with the flags of ../binding.gyp.
#   -DSEGLOG_STATIC_RUNTIME=ON    the C++ runtime inside the binary, its symbols hidden (prebuilt binaries)
option(SEGLOG_STATIC_RUNTIME "Hide every symbol but the addon's entry points" OFF)

execute_process(
  COMMAND node -p "require('node-addon-api').include_dir"
  WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
  OUTPUT_VARIABLE NODE_ADDON_API_DIR
  OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)

add_library(seglog SHARED ${SEGLOG_ADDON_SOURCES})
set_target_properties(seglog PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(seglog SYSTEM PRIVATE ${CMAKE_JS_INC} ${NODE_ADDON_API_DIR})
target_compile_definitions(seglog PRIVATE
  NAPI_VERSION=9 NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS BUILDING_NODE_EXTENSION)
target_link_libraries(seglog PRIVATE seglog_core ${CMAKE_JS_LIB})
target_link_options(seglog PRIVATE -Wl,-z,nodelete)
if(SEGLOG_STATIC_RUNTIME)
  target_link_options(seglog PRIVATE
    -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map -Wl,--undefined-version -Wl,-s)
endif()
