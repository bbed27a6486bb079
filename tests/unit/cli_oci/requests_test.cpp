#include "cli/oci/requests.hpp"

#include "tests/unit/cli_oci/support.hpp"

namespace warren::cli::oci {

namespace {

using engine::oci::CgroupMode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::arguments;
using test::check_usage;
using test::parse_words;
using test::Words;

}  // namespace

TEST_CASE("create as conmon and containerd write it") {
    const auto request =
        parse_create(arguments("create",
                               "--bundle /b --no-pivot --no-new-keyring --pid-file /p "
                               "--preserve-fds 3 --console-socket /c --pidfd-socket=/d c1"))
            .value();
    CHECK(request.id == "c1");
    CHECK(request.bundle == "/b");
    CHECK(request.no_pivot);
    CHECK(request.no_new_keyring);
    CHECK(request.wiring.pid_file == "/p");
    CHECK(request.wiring.preserve_fds == 3);
    CHECK(request.wiring.console_socket == "/c");
    CHECK(request.wiring.pidfd_socket == "/d");
    const auto plain = parse_create(arguments("create", "c1")).value();
    CHECK(plain.bundle == ".");
    CHECK_FALSE(plain.no_pivot);
    CHECK(plain.wiring.preserve_fds == 0);
    CHECK(parse_create(arguments("create", "c1 -b /late")).value().bundle == "/late");
    check_usage(parse_create(arguments("create", "--preserve-fds x c1")), {"--preserve-fds", "x"});
    check_usage(parse_words("create", {}), {"ID"});
    check_usage(parse_words("create", {"a", "b"}), {"'b'"});
}

TEST_CASE("run") {
    const auto request =
        parse_run(arguments("run", "-d --keep --no-subreaper -b /b --pid-file=/p c1")).value();
    CHECK(request.detach);
    CHECK(request.keep);
    CHECK(request.create.bundle == "/b");
    CHECK(request.create.wiring.pid_file == "/p");
    CHECK_FALSE(parse_run(arguments("run", "--detach=false c1")).value().detach);
}

TEST_CASE("exec by a file") {
    const auto request =
        parse_exec(
            arguments("exec", "--process /p.json --console-socket /c --detach --pid-file /p c1"))
            .value();
    CHECK(request.id == "c1");
    CHECK(request.process_file == "/p.json");
    CHECK(request.detach);
    CHECK(request.args.empty());
    CHECK(request.wiring.console_socket == "/c");
    CHECK(parse_exec(arguments("exec", "-d -p /p.json c1")).value().process_file == "/p.json");
    check_usage(parse_exec(arguments("exec", "c1")), {"--process"});
    check_usage(parse_exec(arguments("exec", "-p /p.json c1 ls")), {"--process"});
}

TEST_CASE("exec by a command: options end at the id") {
    const auto request =
        parse_exec(
            arguments("exec",
                      "-t --cwd /w -e A=1 --env B=2 -u 5:6 -g 7 --additional-gids 8 -c CAP_KILL "
                      "--no-new-privs --apparmor prof --process-label lab --cgroup sub "
                      "--cgroup cpu:other --ignore-paused --preserve-fds 1 c1 ls -l --all -t"))
            .value();
    CHECK(request.args == Words{"ls", "-l", "--all", "-t"});
    CHECK(request.terminal);
    CHECK(request.cwd == "/w");
    CHECK(request.env == Words{"A=1", "B=2"});
    CHECK(request.user == "5:6");
    CHECK(request.additional_gids == std::vector<std::uint32_t>{7, 8});
    CHECK(request.capabilities == Words{"CAP_KILL"});
    CHECK(request.no_new_privs);
    CHECK(request.apparmor_profile == "prof");
    CHECK(request.process_label == "lab");
    CHECK(request.cgroups == Words{"sub", "cpu:other"});
    CHECK(request.ignore_paused);
    CHECK_FALSE(request.detach);
    CHECK(parse_exec(arguments("exec", "c1 -- ls")).value().args == Words{"ls"});
    check_usage(parse_exec(arguments("exec", "-g 4294967296 c1 ls")), {"--additional-gids"});
}

TEST_CASE("kill") {
    const auto signal = [](const std::string& line) {
        return parse_kill(arguments("kill", line)).value().signal_number;
    };
    CHECK(signal("c1") == 15);
    CHECK(signal("c1 9") == 9);
    CHECK(signal("c1 KILL") == 9);
    CHECK(signal("c1 SIGKILL") == 9);
    CHECK(signal("c1 term") == 15);
    CHECK(signal("c1 37") == 37);
    CHECK(signal("c1 SIGRTMIN+3") == 37);
    CHECK(signal("c1 0") == 0);
    CHECK(parse_kill(arguments("kill", "--all c1 9")).value().all);
    CHECK(parse_kill(arguments("kill", "c1 9 -a")).value().all);
    check_usage(parse_kill(arguments("kill", "c1 BOGUS")), {"'BOGUS'"});
    check_usage(parse_kill(arguments("kill", "c1 65")), {"'65'"});
}

TEST_CASE("update") {
    CHECK(parse_update(arguments("update", "--resources - c1")).value().resources_file == "-");
    CHECK(parse_update(arguments("update", "-r=/f c1")).value().resources_file == "=/f");
    const auto request =
        parse_update(
            arguments("update",
                      "--memory 512m --memory-reservation 1g --memory-swap -1 --cpu-share 512 "
                      "--cpu-quota=-1 --cpu-period 100000 --cpu-burst 5 --cpu-idle 1 "
                      "--cpuset-cpus 0-1 --cpuset-mems 0 --blkio-weight 100 --pids-limit 20 "
                      "--l3-cache-schema L3:0=1 --mem-bw-schema MB:0=2 --cpu-rt-runtime 1 "
                      "--cpu-rt-period 2 --kernel-memory 3 --kernel-memory-tcp 4 c1"))
            .value();
    CHECK(request.memory == 512LL << 20);
    CHECK(request.memory_reservation == 1LL << 30);
    CHECK(request.memory_swap == -1);
    CHECK(request.cpu_shares == 512);
    CHECK(request.cpu_quota == -1);
    CHECK(request.cpu_period == 100000);
    CHECK(request.cpu_burst == 5);
    CHECK(request.cpu_idle == 1);
    CHECK(request.cpuset_cpus == "0-1");
    CHECK(request.cpuset_mems == "0");
    CHECK(request.blkio_weight == 100);
    CHECK(request.pids_limit == 20);
    CHECK(request.l3_cache_schema == "L3:0=1");
    CHECK(request.mem_bw_schema == "MB:0=2");
    CHECK(request.cpu_rt_runtime == 1);
    CHECK(request.cpu_rt_period == 2);
    CHECK(request.kernel_memory == 3);
    CHECK(request.kernel_memory_tcp == 4);
    const auto empty = parse_update(arguments("update", "c1")).value();
    CHECK_FALSE(empty.memory.has_value());
    CHECK_FALSE(empty.pids_limit.has_value());
    check_usage(parse_update(arguments("update", "--memory 5x c1")), {"--memory", "5x"});
    check_usage(parse_update(arguments("update", "--blkio-weight 1001 c1")), {"--blkio-weight"});
    check_usage(parse_update(arguments("update", "--cpu-idle 2 c1")), {"--cpu-idle"});
    check_usage(parse_update(arguments("update", "--pids-limit -2 c1")), {"--pids-limit", "-2"});
}

TEST_CASE("events") {
    CHECK(parse_events(arguments("events", "--stats c1")).value().stats);
    CHECK(parse_events(arguments("events", "c1")).value().interval == seconds(5));
    CHECK(parse_events(arguments("events", "--interval 1m30s c1")).value().interval == seconds(90));
    check_usage(parse_events(arguments("events", "--interval 5 c1")), {"--interval", "'5'"});
}

TEST_CASE("durations as Go writes them") {
    CHECK(parse_duration("250ms").value() == milliseconds(250));
    CHECK(parse_duration("1.5h").value() == seconds(5400));
    CHECK(parse_duration("1h0m2s").value() == seconds(3602));
    for (const char* text :
         {"", "5", "s", "-5s", "5 s", "5d", "5s!", "0s", "1e3s", "inf", "nan", "0.1ms", "9000h"}) {
        CHECK_FALSE(parse_duration(text).has_value());
    }
}

TEST_CASE("checkpoint and restore") {
    const auto dump =
        parse_checkpoint(
            arguments("checkpoint",
                      "--image-path /i --work-path /w --parent-path ../p --leave-running "
                      "--tcp-established --tcp-skip-in-flight --ext-unix-sk --shell-job "
                      "--lazy-pages --status-fd 5 --page-server 1.2.3.4:5 --file-locks "
                      "--pre-dump --manage-cgroups-mode ignore --empty-ns network "
                      "--auto-dedup --link-remap c1"))
            .value();
    CHECK(dump.criu.image_path == "/i");
    CHECK(dump.criu.work_path == "/w");
    CHECK(dump.parent_path == "../p");
    CHECK(dump.page_server == "1.2.3.4:5");
    CHECK(dump.status_fd == 5);
    CHECK(dump.leave_running);
    CHECK(dump.pre_dump);
    CHECK(dump.criu.tcp_established);
    CHECK(dump.criu.tcp_skip_in_flight);
    CHECK(dump.criu.ext_unix_sockets);
    CHECK(dump.criu.shell_job);
    CHECK(dump.criu.lazy_pages);
    CHECK(dump.criu.file_locks);
    CHECK(dump.criu.auto_dedup);
    CHECK(dump.criu.link_remap);
    CHECK(dump.criu.cgroups == CgroupMode::Ignore);
    CHECK(dump.criu.empty_namespaces == Words{"network"});
    const auto restore =
        parse_restore(
            arguments("restore",
                      "--bundle /b --pid-file /p --no-pivot --no-new-keyring --detach "
                      "--image-path /i --work-path /w --tcp-established --file-locks "
                      "--console-socket /c --lsm-profile apparmor:x --lsm-mount-context y c1"))
            .value();
    CHECK(restore.create.bundle == "/b");
    CHECK(restore.create.no_pivot);
    CHECK(restore.create.no_new_keyring);
    CHECK(restore.create.wiring.console_socket == "/c");
    CHECK(restore.detach);
    CHECK(restore.criu.image_path == "/i");
    CHECK(restore.criu.cgroups == CgroupMode::Soft);
    CHECK(restore.lsm_profile == "apparmor:x");
    CHECK(restore.lsm_mount_context == "y");
    check_usage(parse_restore(arguments("restore", "--manage-cgroups-mode x c1")),
                {"--manage-cgroups-mode", "'x'"});
    check_usage(parse_checkpoint(arguments("checkpoint", "--empty-ns pid c1")),
                {"--empty-ns", "'pid'"});
}

}  // namespace warren::cli::oci
