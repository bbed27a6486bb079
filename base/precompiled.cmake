# With WARREN_PRECOMPILE: what most files include, by our own headers mostly, is parsed once. Not so
# <nlohmann/json.hpp>: each file that reads it so would instantiate the parser behind its literals, used or not, for
# half a second. No file may count on this: without the option, and for clang-tidy, each is compiled as it stands.
set(warren_precompiled
    <algorithm> <array> <cerrno> <charconv> <chrono> <csignal> <cstdint> <cstring> <functional> <map>
    <memory> <optional> <set> <span> <string> <string_view> <utility> <vector>
    <fcntl.h> <sys/stat.h> <sys/types.h> <unistd.h>
    ${PROJECT_SOURCE_DIR}/base/result.hpp ${PROJECT_SOURCE_DIR}/base/fd.hpp)

# warren_precompile(TARGET [HEADER...]): the target makes precompiled headers, of these beside the usual ones.
function(warren_precompile target)
    if(WARREN_PRECOMPILE)
        target_precompile_headers(${target} PRIVATE ${warren_precompiled} ${ARGN})
    endif()
endfunction()

# warren_reuse_precompiled(TARGET FROM): the target reads those that FROM made.
function(warren_reuse_precompiled target from)
    if(WARREN_PRECOMPILE)
        target_precompile_headers(${target} REUSE_FROM ${from})
    endif()
endfunction()

# warren_reuse_in(DIRECTORY FROM): all libraries of the directory do.
function(warren_reuse_in directory from)
    get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        if(type STREQUAL STATIC_LIBRARY AND NOT target STREQUAL from)
            warren_reuse_precompiled(${target} ${from})
        endif()
    endforeach()
endfunction()
