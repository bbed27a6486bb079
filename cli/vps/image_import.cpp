#include <array>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cli/common/exit_code.hpp"
#include "cli/vps/image_common.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

struct Source {
    base::Fd fd;
    bool is_directory = false;
};

// A source that cannot be opened is a wrong request.
base::Result<Source> open_source(const std::string& path) {
    if (path == "-") {
        if (isatty(STDIN_FILENO) == 1) {
            return base::usage_error("standard input is a terminal, not an archive");
        }
        base::Fd copy(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
        if (!copy) {
            return base::errno_error("read standard input");
        }
        return Source{std::move(copy), false};
    }
    base::Result<base::Fd> opened = base::open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
    if (!opened) {
        return base::Error(
            base::ErrorKind::Usage, opened.error().error_number(), opened.error().what());
    }

    struct stat status {};

    if (fstat(opened.value().get(), &status) != 0) {
        return base::errno_error("stat " + path);
    }
    return Source{std::move(opened).value(), S_ISDIR(status.st_mode)};
}

base::Result<int> import(App& app, const Arguments& arguments) {
    const base::Name name = TRY(parse_image_import(arguments));
    app.subject = name.str();
    const std::string& path = arguments.operands().front();
    const Source source = TRY(open_source(path));
    engine::Engine engine = TRY(app.open_engine(true));
    const images::ImageStore store = TRY(engine.images());
    const auto progress = app.progress("import " + name.str());
    const images::ImportLimits limits;
    const images::ImageInfo info =
        source.is_directory
            ? TRY(store.import_directory(name, path, limits, draw_on(*progress)))
            : TRY(store.import_archive(
                  name, source.fd.get(), "import " + path, limits, draw_on(*progress)));
    progress->finish();
    report_image(app, info);
    return kExitDone;
}

constexpr std::array kImportOptions{
    Option{"as", 0, "NAME", "the image's name (required)"},
};
const std::array kImageImportGroups{OptionGroup{"Importing", kImportOptions}, kJsonGroup};

}  // namespace

const Verb kImageImport{
    .name = "image import",
    .usage = "FILE|DIR|- --as NAME",
    .summary = "make an image from a tar archive or a directory",
    .text =
        "The archive may be compressed with gzip, xz, zstd or bzip2; '-' reads it from standard "
        "input. A directory "
        "is copied.",
    .example =
        "warren image import rootfs.tar.xz --as alpine\n"
        "curl -s https://example.org/rootfs.tar.gz | warren image import - --as web",
    .groups = kImageImportGroups,
    .operands = {"FILE, DIR or -", 1, 1},
    .hint = Hint::File,
    .handler = import,
};

}  // namespace warren::cli
