# A launch is a fresh process: what is linked in need not be found and relocated each time. Nothing of
# ours asks name services or opens libraries, so the C library can be among it (docs/adr/0005).
if(WARREN_HARDEN)
    include(CheckCXXSourceCompiles)
    set(CMAKE_REQUIRED_LIBRARIES -static-pie)
    check_cxx_source_compiles(
        "#include <string>\nint main(int, char** argv) { return std::string(argv[0]).empty(); }"
        WARREN_STATIC_PIE)
    unset(CMAKE_REQUIRED_LIBRARIES)
    get_property(warren_shared GLOBAL PROPERTY WARREN_SHARED)
    if(WARREN_STATIC_PIE AND NOT warren_shared)
        set(CMAKE_CXX_LINK_OPTIONS_PIE -fPIE -static-pie)  # beside "-pie" the last of them would count
    else()
        message(STATUS "linked to shared libraries: the C library, ${warren_shared}")
        target_link_options(warren_flags INTERFACE -static-libstdc++ -static-libgcc)
    endif()
endif()
