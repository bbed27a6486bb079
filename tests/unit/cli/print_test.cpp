#include <array>
#include <chrono>

#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "cli/common/exit_code.hpp"
#include "cli/common/table.hpp"
#include "cli/vps/attach.hpp"
#include "cli/vps/batch.hpp"
#include "cli/vps/findings.hpp"
#include "cli/vps/guest_columns.hpp"
#include "cli/vps/stats_table.hpp"
#include "isolation/launcher.hpp"
#include "tests/unit/cli/output.hpp"
#include "tests/unit/cli/support.hpp"

namespace warren::cli {

namespace {

using test::check_usage;
using test::Output;

base::Name guest_named(const std::string& name) {
    return base::Name::parse_guest(name).value();
}

App app_on(Console& console, bool json = false, bool quiet = false) {
    Globals globals;
    globals.json = json;
    globals.quiet = quiet;
    return App{globals, console, ""};
}

base::Error error_of(base::ErrorKind kind) {
    return base::Error(kind, "what");
}

engine::GuestView view_of(const std::string& name) {
    engine::GuestView view;
    view.name = name;
    view.status = engine::GuestStatus::Running;
    view.image = "debian:12";
    view.started = "2026-01-02T03:04:05.000000Z";
    view.id_base = 536870912;
    return view;
}

}  // namespace

TEST_CASE("exit codes by kind") {
    using base::ErrorKind;
    CHECK(exit_code(error_of(ErrorKind::Usage)) == 2);
    CHECK(exit_code(error_of(ErrorKind::NotFound)) == 2);
    for (const ErrorKind kind : {ErrorKind::Failed,
                                 ErrorKind::Exists,
                                 ErrorKind::Busy,
                                 ErrorKind::Unsupported,
                                 ErrorKind::Corrupt}) {
        CHECK(exit_code(error_of(kind)) == 1);
    }
}

TEST_CASE("exit codes of a command") {
    using base::ErrorKind;
    for (const ErrorKind kind :
         {ErrorKind::Usage, ErrorKind::NotFound, ErrorKind::Failed, ErrorKind::Busy}) {
        CHECK(command_exit_code(error_of(kind)) == 125);
    }
    CHECK(command_exit_code(error_of(ErrorKind::NotFound).with_place(isolation::kExecPlace)) ==
          127);
    CHECK(command_exit_code(error_of(ErrorKind::Failed).with_place(isolation::kExecPlace)) == 126);
}

TEST_CASE("a table is aligned") {
    Table table({{"NAME"}, {"SIZE", true}, {"NOTE"}});
    CHECK(table.text(false) == "NAME  SIZE  NOTE\n");
    table.add({"a", "1", ""});
    table.add({"longer", "12345", "x\ny"});
    table.add({"\xc3\xa9t\xc3\xa9", "7", {"hot", Tone::Bad}});
    CHECK(table.text(false) ==
          "NAME     SIZE  NOTE\n"
          "a           1  -\n"
          "longer  12345  x\\x0ay\n"
          "\xc3\xa9t\xc3\xa9         7  hot\n");
    CHECK(table.text(true).find("\x1b[31mhot\x1b[0m") != std::string::npos);
    CHECK(table.text(false).find('\x1b') == std::string::npos);
}

TEST_CASE("an error is one line with the program, the verb and what it is at") {
    Output output;
    Console console("warren", output.settings());
    console.error("start web1", base::fail("open /x"));
    console.error("start web1", "start web1: open /x");
    console.error("", "unknown option --x");
    console.error("start web1", base::fail("open /x\ny"));
    CHECK(output.err() ==
          "warren: start web1: open /x\n"
          "warren: start web1: open /x\n"
          "warren: unknown option --x\n"
          "warren: start web1: open /x\\x0ay\n");
    CHECK(output.out().empty());
    CHECK(console.status().has_value());
}

TEST_CASE("a progress line is wiped before anything is printed over it") {
    Output output;
    Console::Settings settings = output.settings();
    settings.out_terminal = true;
    Console console("warren", settings);
    console.print("a\n");
    console.share_terminal();
    console.print("b\n");
    console.error("stop c", "text");
    CHECK(output.out() == "a\n\r\x1b[Kb\n");
    CHECK(output.err() == "warren: stop c: text\n");
}

TEST_CASE("output that cannot be written is told") {
    Console::Settings settings;
    const base::Fd full = base::open_at(AT_FDCWD, "/dev/full", O_WRONLY).value();
    settings.out = full.get();
    Console console("warren", settings);
    console.print("x\n");
    REQUIRE_FALSE(console.status().has_value());
    CHECK(console.status().error().describe() == "write standard output: No space left on device");
}

TEST_CASE("a batch prints names and one line a failure") {
    Output output;
    Console console("warren", output.settings());
    const App app = app_on(console);
    BatchReport report(app, "start", {guest_named("a"), guest_named("b")});
    report.add(guest_named("a"), base::ok());
    report.add(guest_named("b"), base::usage_error("no guest_named named b"));
    CHECK(report.finish() == 1);
    CHECK(output.out() == "a\n");
    CHECK(output.err() == "warren: start b: no guest_named named b\n");
}

TEST_CASE("a batch of one has its error's exit code") {
    Output output;
    Console console("warren", output.settings());
    const App app = app_on(console, false, true);
    BatchReport unknown(app, "start", {guest_named("b")});
    unknown.add(guest_named("b"), base::usage_error("no guest_named named b"));
    CHECK(unknown.finish() == 2);
    BatchReport fine(app, "start", {guest_named("a")});
    fine.add(guest_named("a"), base::ok());
    CHECK(fine.finish() == 0);
    CHECK(output.out().empty());
}

TEST_CASE("a batch as JSON") {
    Output output;
    Console console("warren", output.settings());
    const App app = app_on(console, true);
    BatchReport report(app, "stop", {guest_named("a"), guest_named("b")});
    report.add(guest_named("a"), base::ok());
    report.add(guest_named("b"), base::fail("freeze b"));
    CHECK(report.finish() == 1);
    const base::Json json = base::parse_json(output.out(), "output").value();
    REQUIRE(json.size() == 2);
    CHECK(json[0] == base::Json{{"name", "a"}, {"done", true}});
    CHECK(json[1] == base::Json{{"name", "b"}, {"done", false}, {"error", "freeze b"}});
}

TEST_CASE("run tells notes on standard error and the command's code") {
    Output output;
    Console console("warren", output.settings());
    App app = app_on(console);
    CHECK(report_run(app, "run", {guest_named("a"), 42, {"no /dev/fuse"}}, false) == 42);
    CHECK(output.out().empty());
    CHECK(output.err() == "warren: run a: note: no /dev/fuse\n");
    CHECK(report_run(app, "run", {guest_named("a"), 0, {}}, true) == 0);
    CHECK(output.out() == "a\n");
}

TEST_CASE("columns of the list") {
    const TimePoint now = base::parse_time("2026-01-02T03:05:05Z").value();
    engine::GuestView weak = view_of("weak");
    weak.weakened = {"--userns host", "--nesting"};
    weak.id_base.reset();
    const std::vector<engine::GuestView> views{view_of("web1"), weak};
    const auto columns = parse_columns(kDefaultColumns).value();
    CHECK(guest_table(views, columns, now, false) ==
          "NAME  STATUS   IMAGE            IDS  WALLS                     AGE\n"
          "web1  running  debian:12  536870912  -                         1m\n"
          "weak  running  debian:12          -  --userns host, --nesting  1m\n");
    const auto chosen = parse_columns("pid,Name").value();
    CHECK(guest_table(views, chosen, now, false) == "PID  NAME\n  -  web1\n  -  weak\n");
}

TEST_CASE("every column can show a guest_named with nothing in it") {
    for (const GuestColumn& column : guest_columns()) {
        CAPTURE(column.title);
        const std::string text =
            guest_table(std::vector<engine::GuestView>{{}}, {column}, TimePoint{}, false);
        CHECK(text.find(column.title) != std::string::npos);
        CHECK(parse_columns(column.title).has_value());
    }
}

TEST_CASE("an unknown column is named, and the known ones are listed") {
    check_usage(parse_columns("name,wings"), {"'wings'", "NAME", "STATUS", "WALLS"});
    check_usage(parse_columns(""), {"''"});
    check_usage(parse_columns("name,"), {"''"});
}

TEST_CASE("stats: a share of CPU time needs an earlier reading") {
    engine::StatsView view;
    view.name = "web1";
    view.stats.cpu_usage_micros = 1'500'000;
    view.stats.memory_bytes = 1ULL << 20;
    view.stats.memory_max_bytes = 2ULL << 20;
    view.stats.pids = 3;
    const auto start = std::chrono::steady_clock::time_point{} + std::chrono::hours(1);
    const Reading first{start, {view}};
    view.stats.cpu_usage_micros = 2'000'000;
    const Reading second{start + std::chrono::seconds(1), {view}};
    CHECK(stats_table(first, {}, false) ==
          "NAME  CPU  CPU TIME   MEMORY  PEAK  SWAP  PIDS  READ  WRITTEN  OOM KILLS\n"
          "web1    -     1.50s  1M / 2M     -     -     3     -        -          -\n");
    CHECK(stats_table(second, first, false).find("50.0%") != std::string::npos);
}

TEST_CASE("doctor's findings stand in groups, with remedies") {
    using engine::Finding;
    std::vector<Finding> findings{
        {Finding::Level::Ok, "user namespaces", "there", "", "kernel", false},
        {Finding::Level::Warning, "kernel.pid_max", "4096", "raise it", "limits", false},
        {Finding::Level::Cannot,
         "memory limits",
         "controller is v1",
         "boot with v2",
         "cgroups",
         false},
    };
    CHECK(findings_text(findings, false) ==
          "kernel\n"
          "  ok      user namespaces: there\n"
          "\n"
          "limits\n"
          "  warn    kernel.pid_max: 4096\n"
          "          -> raise it\n"
          "\n"
          "cgroups\n"
          "  cannot  memory limits: controller is v1\n"
          "          -> boot with v2\n"
          "\n"
          "guests can run on this host: 1 ok, 1 warning, 1 cannot\n");
    CHECK(host_can(findings));
    findings.back().essential = true;
    CHECK_FALSE(host_can(findings));
}

}  // namespace warren::cli
