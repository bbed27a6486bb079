#include "runtime/engine/oci/id_map.hpp"

#include <unistd.h>

#include "runtime/engine/oci/spawn.hpp"

namespace warren::engine::oci {

namespace {

bool is_just(const std::vector<isolation::IdRange>& ranges, std::uint32_t id) {
    return ranges.size() == 1 && ranges.front().outside == id && ranges.front().count == 1;
}

base::Status run_helper(const char* name,
                        const char* place,
                        pid_t pid,
                        const std::vector<isolation::IdRange>& ranges) {
    Program program;
    program.path = name;
    program.arguments = {name, std::to_string(pid)};
    for (const auto& range : ranges) {
        program.arguments.push_back(std::to_string(range.inside));
        program.arguments.push_back(std::to_string(range.outside));
        program.arguments.push_back(std::to_string(range.count));
    }
    auto finished = run_program(program);
    if (!finished) {
        return std::move(finished).error().with_place(place);
    }
    if (finished.value().status.signaled || finished.value().status.value != 0) {
        return base::fail(std::string(name) + " " + words(finished.value())).with_place(place);
    }
    return base::ok();
}

}  // namespace

MapWriter map_writer(const isolation::IdMap& map) {
    if (::geteuid() == 0) {
        return MapWriter::Root;
    }
    return is_just(map.uids, ::geteuid()) && is_just(map.gids, ::getegid()) ? MapWriter::Oneself
                                                                            : MapWriter::Helpers;
}

base::Status write_id_maps(isolation::PendingContainer& pending, const isolation::IdMap& map) {
    const auto writer = map_writer(map);
    if (writer != MapWriter::Helpers) {
        auto written = pending.write_id_maps(map, writer == MapWriter::Oneself);
        if (!written) {
            return std::move(written).error().with_place("/linux/uidMappings");
        }
        return written;
    }
    const pid_t pid = pending.process().pid();
    TRY(run_helper("newuidmap", "/linux/uidMappings", pid, map.uids));
    return run_helper("newgidmap", "/linux/gidMappings", pid, map.gids);
}

}  // namespace warren::engine::oci
