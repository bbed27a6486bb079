#include "runtime/engine/oci/intel_rdt.hpp"

#include <algorithm>
#include <string_view>

#include "cgroups/mountinfo.hpp"

namespace warren::engine::oci {

namespace {

constexpr const char* kPlace = "/linux/intelRdt";
constexpr const char* kUsualPath = "/sys/fs/resctrl";

void add_line(std::string& text, std::string_view line) {
    if (!line.empty()) {
        text += line;
        text += '\n';
    }
}

// Where memBwSchema is given, lines on bandwidth in l3CacheSchema do not count.
std::string cache_lines(const spec::oci::IntelRdt& wish) {
    std::string out;
    std::string_view rest = wish.l3_cache_schema;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (wish.mem_bw_schema.empty() || !line.starts_with("MB:")) {
            add_line(out, line);
        }
    }
    return out;
}

base::Result<std::optional<cgroups::Resctrl>> find_resctrl() {
    const auto text =
        TRY(base::read_file_at(AT_FDCWD, "/proc/self/mountinfo", cgroups::kMountinfoBytesMax));
    const auto path = cgroups::find_resctrl_mount(text);
    if (!path) {
        return std::optional<cgroups::Resctrl>();
    }
    return std::optional(TRY(cgroups::Resctrl::open(*path)));
}

base::Status at(base::Status status, const std::string& member) {
    return status ? std::move(status)
                  : base::Status(std::move(status).error().with_place(kPlace + member));
}

}  // namespace

base::Result<RdtPlan> plan_intel_rdt(const spec::oci::IntelRdt& wish, const std::string& id) {
    if (wish.enable_monitoring) {
        return base::Error(base::ErrorKind::Unsupported,
                           "enableMonitoring, of version 1.3 of the specification, is not "
                           "supported: use enableCMT and enableMBM")
            .with_place(std::string(kPlace) + "/enableMonitoring");
    }
    RdtPlan plan;
    plan.named = !wish.clos_id.empty();
    plan.group = plan.named ? wish.clos_id : id;
    TRY(at(cgroups::check_group_name(plan.group), plan.named ? "/closID" : ""));
    plan.schemata = cache_lines(wish);
    add_line(plan.schemata, wish.mem_bw_schema);
    for (const auto& line : wish.schemata) {
        add_line(plan.schemata, line);
    }
    plan.occupancy = wish.enable_cmt;
    plan.bandwidth = wish.enable_mbm;
    return plan;
}

base::Result<cgroups::Resctrl> open_resctrl() {
    auto found = TRY(find_resctrl());
    if (!found) {
        return base::Error(base::ErrorKind::Unsupported,
                           std::string("resctrl is not mounted at ") + kUsualPath +
                               ", nor anywhere else: it needs a CPU with such a resource, and "
                               "mount -t resctrl")
            .with_place(kPlace);
    }
    return std::move(*found);
}

base::Status check_intel_rdt(const cgroups::Resctrl& resctrl,
                             const spec::oci::IntelRdt& wish,
                             const RdtPlan& plan) {
    TRY(at(resctrl.check_resources(cache_lines(wish)), "/l3CacheSchema"));
    TRY(at(resctrl.check_resources(wish.mem_bw_schema), "/memBwSchema"));
    TRY(at(resctrl.check_resources(plan.schemata), "/schemata"));
    TRY(at(resctrl.check_counters(plan.occupancy, false), "/enableCMT"));
    TRY(at(resctrl.check_counters(false, plan.bandwidth), "/enableMBM"));
    const bool there = TRY(resctrl.has(plan.group));
    if (!plan.named) {
        return there ? at(base::Error(base::ErrorKind::Exists,
                                      "the group " + plan.group + " exists: name it by closID"),
                          "")
                     : base::ok();
    }
    if (!there) {
        return !plan.schemata.empty()
                   ? base::ok()
                   : at(base::Error(base::ErrorKind::NotFound,
                                    "no group " + plan.group + ", and no schema to make it of"),
                        "/closID");
    }
    return at(resctrl.compare_schemata(plan.group, plan.schemata), "/closID");
}

base::Status enter_intel_rdt(const cgroups::Resctrl& resctrl,
                             const RdtPlan& plan,
                             pid_t pid,
                             state::oci::Record& record,
                             const std::function<base::Status()>& save) {
    record.intel_rdt = plan.group;
    record.intel_rdt_made = !TRY(resctrl.has(plan.group));
    TRY(save());
    if (record.intel_rdt_made) {
        auto made = resctrl.make(plan.group);
        if (!made) {
            return std::move(made).error().with_place(kPlace);
        }
        if (!made.value()) {
            // Somebody else was quicker: it is not ours to remove.
            record.intel_rdt_made = false;
            TRY(save());
        }
    }
    if (record.intel_rdt_made) {
        TRY(at(resctrl.write_schemata(plan.group, plan.schemata), ""));
    } else {
        TRY(at(resctrl.compare_schemata(plan.group, plan.schemata), "/closID"));
    }
    if (!record.intel_rdt_made && (plan.occupancy || plan.bandwidth)) {
        // The group's own counters are those of all that is in it.
        TRY(at(resctrl.make_counters(plan.group, record.id), ""));
    }
    return at(resctrl.add_process(plan.group, record.id, pid), "");
}

base::Status follow_intel_rdt(const state::oci::Record& record, pid_t maker) {
    if (record.intel_rdt.empty()) {
        return base::ok();
    }
    return TRY(open_resctrl()).add_process(record.intel_rdt, record.id, maker);
}

base::Status leave_intel_rdt(const state::oci::Record& record) {
    if (record.intel_rdt.empty()) {
        return base::ok();
    }
    const auto resctrl = TRY(find_resctrl());
    return resctrl ? leave_intel_rdt(*resctrl, record) : base::ok();
}

base::Status leave_intel_rdt(const cgroups::Resctrl& resctrl, const state::oci::Record& record) {
    if (record.intel_rdt_made) {
        return resctrl.remove(record.intel_rdt);
    }
    return resctrl.remove_counters(record.intel_rdt, record.id);
}

}  // namespace warren::engine::oci
