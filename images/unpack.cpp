#include "images/unpack.hpp"

namespace warren::images {

std::uint64_t stream_limit(const ImportLimits& limits) {
    constexpr std::uint64_t kPerEntry = 8192;
    return limits.total_bytes + limits.entries * kPerEntry;
}

base::Status unpack(ArchiveReader& archive,
                    TreeWriter& writer,
                    const EntryFilter& wanted,
                    const Progress& progress) {
    constexpr std::uint64_t kReportEvery = 4U << 20U;
    std::uint64_t next_report = kReportEvery;
    const BodyReader body = [&archive] { return archive.read(); };
    while (auto entry = TRY(archive.next())) {
        if (wanted && !wanted(*entry)) {
            continue;
        }
        TRY(writer.add(std::move(*entry), body));
        if (progress && archive.position() >= next_report) {
            progress("unpack", archive.position());
            next_report = archive.position() + kReportEvery;
        }
    }
    return base::ok();
}

}  // namespace warren::images
