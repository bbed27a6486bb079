#include "images/build.hpp"

#include <sys/stat.h>

#include "images/debian_package.hpp"
#include "images/distribution.hpp"
#include "images/host_apt.hpp"
#include "images/image.hpp"
#include "images/import_session.hpp"
#include "images/mirrors.hpp"
#include "images/program.hpp"
#include "images/unpack.hpp"

namespace warren::images {
namespace {

constexpr const char* kKeyringDir = "/usr/share/keyrings/";
constexpr const char* kDebianKeyring = "debian-archive-keyring.gpg";
constexpr const char* kUbuntuKeyring = "ubuntu-archive-keyring.gpg";
constexpr const char* kScratchKeyring = "keyring.gpg";
constexpr const char* kCache = "cache/keyrings";

// Ubuntu's keyring as the host has it, or out of Debian's package of it, which Debian's keys vouch
// for, kept for the next time.
base::Result<std::string> ubuntu_keyring(int data, int scratch) {
    auto keyring = base::read_file_at(AT_FDCWD, std::string(kKeyringDir) + kUbuntuKeyring);
    if (keyring) {
        return keyring;
    }
    const std::string kept = std::string(kCache) + "/" + kUbuntuKeyring;
    keyring = base::read_file_at(data, kept);
    if (keyring) {
        return keyring;
    }
    keyring = base::with_context(
        fetch_package_file(
            scratch, "ubuntu-keyring", std::string(kKeyringDir + 1) + kUbuntuKeyring),
        "get the keyring of Ubuntu");
    if (keyring) {
        TRY(base::make_dirs(data, kCache, 0755));
        const base::Fd cache = TRY(base::open_dir(data, kCache));
        TRY(base::replace_file_at(
            cache.get(), kUbuntuKeyring, keyring.value(), 0644, base::Durability::Durable));
    }
    return keyring;
}

base::Result<std::string> debian_keyring() {
    auto keyring = base::read_file_at(AT_FDCWD, std::string(kKeyringDir) + kDebianKeyring);
    if (!keyring) {
        return base::Error(base::ErrorKind::Unsupported,
                           "the keyring of Debian is missing (apt-get install "
                           "debian-archive-keyring)");
    }
    return keyring;
}

// Into the scratch directory, where apt's own user can read it. The path is the one that mmdebstrap
// sees.
base::Result<std::string> provide_keyring(Family family, int data, int scratch) {
    const std::string keyring =
        family == Family::Ubuntu ? TRY(ubuntu_keyring(data, scratch)) : TRY(debian_keyring());
    TRY(base::replace_file_at(scratch, kScratchKeyring, keyring, 0644, base::Durability::Volatile));
    return std::string(kScratchPath) + "/" + kScratchKeyring;
}

// What unpacking stopped for is often only that the program ended: then the program's own error
// says why. It is given the chance to end by itself, so that it does not end for a closed pipe.
base::Status finish_program(RunningProgram& program, base::Status&& unpacked) {
    if (!unpacked) {
        std::string rest(64U << 10U, '\0');
        while (read(program.output(), rest.data(), rest.size()) > 0) {
        }
    }
    auto ended = program.wait();
    if (!ended && !unpacked) {
        return std::move(ended).error().with_secondary(std::move(unpacked).error());
    }
    return ended ? std::move(unpacked) : std::move(ended);
}

base::Result<Program> plan_mmdebstrap(const Template& wanted,
                                      const std::vector<std::string>& packages,
                                      const Mirrors& mirrors,
                                      int data,
                                      int scratch) {
    Program program{.scratch = scratch, .package = "mmdebstrap"};
    const std::string keyring = TRY(provide_keyring(wanted.family, data, scratch));
    program.arguments =
        mmdebstrap_arguments(wanted, packages, source_lines(wanted, mirrors, keyring));
    for (const std::string& option : proxy_options()) {
        program.arguments.insert(program.arguments.begin() + 1, "--aptopt=" + option);
    }
    return program;
}

base::Result<std::vector<std::string>> packages_of(const Template& wanted,
                                                   InitSystem init,
                                                   const std::vector<std::string>& include) {
    auto packages = TRY(machine_packages(wanted, init));
    for (const std::string& name : include) {
        TRY(check_package_name(name));
        packages.push_back(name);
    }
    return packages;
}

}  // namespace

base::Status add_guest_files(TreeWriter& writer, const std::vector<GuestFile>& files) {
    for (const GuestFile& file : files) {
        bool is_read = file.content.empty();
        const BodyReader body = [&]() -> base::Result<std::optional<Chunk>> {
            if (is_read) {
                return std::optional<Chunk>();
            }
            is_read = true;
            return std::optional(Chunk{0, std::as_bytes(std::span(file.content))});
        };
        TRY(writer.add(file.entry, body));
    }
    return base::ok();
}

base::Result<ImageInfo> ImageStore::build(const base::Name& name,
                                          const BuildRequest& request,
                                          const Progress& progress) const {
    const Template wanted = TRY(find_template(request.template_name));
    TRY(require_absent(name));
    if (wanted.family == Family::Busybox) {
        if (!request.include.empty() ||
            request.init.value_or(InitSystem::Busybox) != InitSystem::Busybox) {
            return base::usage_error("busybox has its own init and takes no packages");
        }
        return build_busybox(name, progress);
    }
    const InitSystem init = request.init.value_or(InitSystem::Systemd);
    const auto packages = TRY(packages_of(wanted, init, request.include));
    const Mirrors mirrors = TRY(base::with_context(
        choose_mirrors(wanted.family, host_architecture()), "build " + wanted.name));
    TRY(sweep_leftovers(images_.get()));
    const TempDir scratch = TRY(TempDir::make(images_.get()));
    if (fchmod(scratch.fd(), 0755) != 0) {
        return base::errno_error("set the mode of the build directory");
    }
    const Program program = TRY(
        base::with_context(plan_mmdebstrap(wanted, packages, mirrors, data_.get(), scratch.fd()),
                           "build " + wanted.name));
    ImportSession session = TRY(ImportSession::begin(images_.get(), objects_.get(), {}));
    RunningProgram running = TRY(RunningProgram::start(program));
    running.follow(progress);
    auto unpacked = [&]() -> base::Status {
        auto archive = TRY(ArchiveReader::open(running.output(), stream_limit({})));
        const EntryFilter filter = [](const Entry& entry) {
            return !is_left_out(entry.path, entry.type);
        };
        return unpack(*archive, session.writer(), filter, progress);
    }();
    TRY(base::with_context(finish_program(running, std::move(unpacked)), "build " + wanted.name));
    const auto sources = source_lines(wanted, public_mirrors(mirrors), "");
    TRY(add_guest_files(session.writer(), guest_files(init, sources)));
    if (progress) {
        progress("write to disk", 0);
    }
    return session.commit(name, "build " + wanted.name);
}

}  // namespace warren::images
