#include "cli/vps/requests.hpp"

#include "tests/unit/cli/support.hpp"

namespace warren::cli {

namespace {

using test::check_usage;
using test::parse_verb;
using test::Words;

template <typename Parse>
auto request(Parse parse, std::string_view verb, const std::string& line) {
    return parse(parse_verb(verb, line).value());
}

const Words kBadNames{"../x", "a/b", "a\nb", ".", "..", "-x", std::string(300, 'a'), ""};

std::vector<std::string> strings(const std::vector<base::Name>& names) {
    std::vector<std::string> texts;
    texts.reserve(names.size());
    for (const base::Name& name : names) {
        texts.push_back(name.str());
    }
    return texts;
}

}  // namespace

TEST_CASE("create") {
    const engine::CreateRequest r =
        request(parse_create, "create", "web1 --image debian:12 --memory 1G").value();
    CHECK(r.config.name == "web1");
    CHECK(r.config.image == "debian:12");
    CHECK(r.config.limits.memory_max == cgroups::Limit::of(1ULL << 30));
    CHECK_FALSE(r.config.remove_on_stop);
    CHECK_FALSE(r.config.terminal);
}

TEST_CASE("bad names are shown on one line") {
    for (const std::string& name : kBadNames) {
        check_usage(parse_guest_name(parse_verb("inspect", Words{"--", name}).value()), {});
        check_usage(parse_selection(parse_verb("start", Words{"ok", "--", name}).value()), {});
    }
}

TEST_CASE("run") {
    const engine::RunRequest r =
        request(parse_run, "run", "--rm -i -t --name job --image busybox --pids 5 ls -l --rm")
            .value();
    CHECK(r.config.name == "job");
    CHECK(r.config.remove_on_stop);
    CHECK(r.config.terminal);
    CHECK(r.config.kind == isolation::GuestKind::Command);
    CHECK(r.config.command == Words{"ls", "-l", "--rm"});
    CHECK(r.stdio.interactive);
    CHECK(r.stdio.terminal);
    CHECK_FALSE(r.stdio.detach);
    const engine::RunRequest machine = request(parse_run, "run", "-d --image debian:12").value();
    CHECK(machine.config.name.empty());
    CHECK(machine.config.kind == isolation::GuestKind::Machine);
    CHECK(machine.stdio.detach);
    check_usage(request(parse_run, "run", "ls"), {"--image"});
    check_usage(request(parse_run, "run", "--name a/b --image x"), {"option --name", "a/b"});
}

TEST_CASE("exec") {
    const engine::ExecRequest r =
        request(parse_exec, "exec", "-it -u www-data:www -w /srv -e A=1 -e B=2 web1 ls -l").value();
    CHECK(r.name.str() == "web1");
    CHECK(r.command == Words{"ls", "-l"});
    CHECK(r.user == "www-data:www");
    CHECK(r.cwd == "/srv");
    CHECK(r.env == Words{"A=1", "B=2"});
    CHECK(r.stdio.interactive);
    CHECK(r.stdio.terminal);
    CHECK_FALSE(r.stdio.detach);
    check_usage(request(parse_exec, "exec", "web1"), {"CMD is missing", "warren enter web1"});
    check_usage(request(parse_exec, "exec", "-e A web1 ls"), {"option --env", "'A'"});
}

TEST_CASE("enter is a login shell") {
    const Arguments arguments = parse_verb("enter", "web1").value();
    for (const bool terminal : {false, true}) {
        const engine::ExecRequest r = parse_enter(arguments, terminal).value();
        CHECK(r.command.empty());
        CHECK(r.stdio.interactive);
        CHECK(r.stdio.terminal == terminal);
    }
}

TEST_CASE("a batch means names, labels or all, and just one of them") {
    for (const std::string_view verb :
         {"start", "stop", "restart", "kill", "pause", "resume", "destroy"}) {
        CAPTURE(verb);
        CHECK(strings(request(parse_selection, verb, "a b c").value().names) ==
              Words{"a", "b", "c"});
        CHECK(request(parse_selection, verb, "--all").value().all);
        const engine::Selection labelled =
            request(parse_selection, verb, "--label a=b --label c=d").value();
        CHECK(labelled.labels == std::map<std::string, std::string>{{"a", "b"}, {"c", "d"}});
        check_usage(request(parse_selection, verb, ""), {"name a guest", "--all"});
        check_usage(request(parse_selection, verb, "a --all"), {"not several"});
        check_usage(request(parse_selection, verb, "--label a=b --all"), {"not several"});
        check_usage(request(parse_selection, verb, "--label a"), {"option --label", "'a'"});
    }
}

TEST_CASE("start") {
    using std::chrono::milliseconds;
    CHECK_FALSE(request(parse_start, "start", "a").value().wait);
    const auto waiting = request(parse_start, "start", "a --wait --time 5").value();
    CHECK(waiting.wait);
    CHECK(waiting.wait_timeout == milliseconds(5000));
    check_usage(request(parse_start, "start", "a --time 5"), {"--time", "--wait"});
    check_usage(request(parse_start, "start", "a --wait --time soon"), {"option --time", "soon"});
}

TEST_CASE("stop and restart") {
    using std::chrono::milliseconds;
    for (const std::string_view verb : {"stop", "restart"}) {
        CHECK(request(parse_stop, verb, "a").value().timeout == milliseconds(10'000));
        CHECK(request(parse_stop, verb, "a --time 0").value().timeout == milliseconds(0));
        CHECK(request(parse_stop, verb, "a --time=3").value().timeout == milliseconds(3000));
        check_usage(request(parse_stop, verb, "a --time -1"), {"option --time", "-1"});
        check_usage(request(parse_stop, verb, "a --time 99999999999"),
                    {"option --time", "99999999999"});
    }
}

TEST_CASE("kill") {
    CHECK(request(parse_kill, "kill", "a").value() == 9);
    CHECK(request(parse_kill, "kill", "--signal HUP a").value() == 1);
    check_usage(request(parse_kill, "kill", "--signal FLY a"), {"option --signal", "'FLY'"});
}

TEST_CASE("set") {
    const SetRequest r =
        request(parse_set, "set", "web1 --memory none --hostname h --label a=1 --label b= -e K=V")
            .value();
    CHECK(r.name.str() == "web1");
    CHECK(r.update.limits.memory_max == cgroups::Limit::none());
    CHECK(r.update.hostname == "h");
    CHECK(r.update.labels == std::map<std::string, std::string>{{"a", "1"}, {"b", ""}});
    CHECK(r.update.env == Words{"K=V"});
    check_usage(request(parse_set, "set", "web1"), {"nothing to set"});
    check_usage(request(parse_set, "set", "web1 --json"), {"nothing to set"});
}

TEST_CASE("set refuses what only create can choose") {
    for (const std::string line : {"web1 --userns host", "web1 --image x", "web1 --mount /a:/b"}) {
        check_usage(parse_verb("set", line), {"unknown option"});
    }
}

TEST_CASE("logs") {
    const engine::LogRequest r = request(parse_logs, "logs", "-f -n 20 web1").value();
    CHECK(r.name.str() == "web1");
    CHECK(r.follow);
    CHECK(r.last_lines == 20);
    CHECK_FALSE(request(parse_logs, "logs", "web1").value().last_lines.has_value());
    check_usage(request(parse_logs, "logs", "-n many web1"), {"option --lines", "many"});
}

TEST_CASE("list's filters") {
    const engine::Filters filters =
        request(parse_filters, "list", "--filter status=running --filter label=a=b").value();
    CHECK(filters == engine::Filters{{"status", "running"}, {"label", "a=b"}});
    check_usage(request(parse_filters, "list", "--filter running"),
                {"option --filter", "'running'"});
}

TEST_CASE("image build") {
    const BuildImage b =
        request(parse_image_build,
                "image build",
                "debian:12 --as web --include nginx,curl --include jq --init runit")
            .value();
    CHECK(b.name.str() == "web");
    CHECK(b.request.template_name == "debian:12");
    CHECK(b.request.include == Words{"nginx", "curl", "jq"});
    CHECK(b.request.init == images::InitSystem::Runit);
    CHECK(request(parse_image_build, "image build", "busybox").value().name.str() == "busybox");
    check_usage(request(parse_image_build, "image build", "gentoo"), {"'gentoo'", "debian:12"});
    check_usage(request(parse_image_build, "image build", "debian:12 --as a/b"),
                {"option --as", "a/b"});
    check_usage(request(parse_image_build, "image build", "debian:12 --init upstart"),
                {"option --init", "upstart"});
    check_usage(request(parse_image_build, "image build", "debian:12 --include a,,b"),
                {"option --include"});
}

TEST_CASE("image import and rm") {
    CHECK(request(parse_image_import, "image import", "- --as web").value().str() == "web");
    check_usage(request(parse_image_import, "image import", "x.tar"), {"option --as is missing"});
    check_usage(request(parse_image_import, "image import", "x.tar --as ../x"),
                {"option --as", "../x"});
    check_usage(parse_verb("image import", "a b --as x"), {"'b'"});
    check_usage(parse_verb("image rm", ""), {"NAME is missing"});
    CHECK(strings(parse_images({"debian:12", "web"}).value()) == Words{"debian:12", "web"});
    check_usage(parse_images({"web", "a/b"}), {"a/b"});
}

}  // namespace warren::cli
