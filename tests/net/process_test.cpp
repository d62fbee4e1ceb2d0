#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <troupe/io/framing.hpp>
#include <troupe/net/process.hpp>
#include <troupe/pal/thread.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sync/event.hpp>
#include <troupe/task/select.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <error_of.hpp>
#include <net/connected.hpp>
#include <net/limited_fds.hpp>
#include <net/temp_dir.hpp>
#include <thrown_misuse.hpp>

namespace troupe::net {

using namespace std::chrono_literals;

namespace {

using words = std::vector<std::string>;

words shell(const std::string& script) { return {"sh", "-c", script}; }

process_options piped(stdio in, stdio out) {
  process_options options;
  options.in = in;
  options.out = out;
  return options;
}

// Runs until its input ends, or until a signal ends it.
process start_cat() { return spawn_process({"cat"}, piped(stdio::pipe, stdio::pipe)); }

// Whether `child` is no child of ours any more: it was reaped.
bool is_reaped(pid_t child) {
  siginfo_t seen{};
  return ::waitid(P_PID, static_cast<id_t>(child), &seen, WEXITED | WNOHANG | WNOWAIT) != 0 &&
         errno == ECHILD;
}

task<> until_reaped(pid_t child) {
  while (!is_reaped(child)) co_await yield();
}

int open_fd_count() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0;
  return count;
}

using test::error_of;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(process_, two_workers)

BOOST_AUTO_TEST_CASE(the_exit_code_is_told_as_often_as_one_asks) {
  auto work = []() -> task<> {
    process child = spawn_process(shell("exit 3"));
    BOOST_TEST(!child.status().has_value());
    exit_status status = co_await child.wait();
    BOOST_TEST((status == exit_status::exited(3)));
    BOOST_TEST(status.text() == "exit code 3");
    BOOST_TEST(!status.is_success());
    BOOST_TEST(!status.signal().has_value());
    status = co_await child.wait();
    BOOST_TEST(status.code().value() == 3);
    BOOST_TEST(child.status().has_value());
    BOOST_TEST(!child.kill(SIGTERM));
    process good = spawn_process({"true"});
    status = co_await good.wait();
    BOOST_TEST(status.is_success());
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(the_signal_that_ended_it_is_told) {
  auto work = []() -> task<> {
    process child = start_cat();
    BOOST_TEST(child.kill(SIGKILL));
    exit_status status = co_await child.wait();
    BOOST_TEST(status.signal().value() == SIGKILL);
    BOOST_TEST(!status.code().has_value());
    BOOST_TEST(status.text() == "ended by signal 9 (Killed)");
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(pipes_are_streams) {
  auto work = []() -> task<> {
    process child = start_cat();
    co_await child.in().write_all("one\ntwo\n");
    io::line_reader lines{child.out()};
    BOOST_TEST((co_await lines.next_line()).value() == "one");
    BOOST_TEST((co_await lines.next_line()).value() == "two");
    co_await child.in().shutdown();
    BOOST_TEST(!(co_await lines.next_line()).has_value());
    auto late = co_await child.in().write_some("late").as_result();
    BOOST_TEST((late.error() == boost::system::errc::broken_pipe));
    exit_status status = co_await child.wait();
    BOOST_TEST(status.is_success());
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(megabytes_pass_through_a_child) {
  auto work = []() -> task<bool> {
    run_process_options options;
    for (int i = 0; i < 5'000'000; ++i) options.input.push_back(static_cast<char>(i % 251));
    options.max_out_bytes = options.input.size();
    std::string sent = options.input;
    words command{"cat"};
    process_output seen = co_await run_process(command, options);
    co_return seen.out == sent&& seen.err.empty() && seen.status.is_success();
  };
  BOOST_TEST(rt.block_on(work));
}

BOOST_AUTO_TEST_CASE(a_child_that_reads_nothing_is_an_error_of_who_writes_and_no_signal) {
  auto work = []() -> task<bool> {
    process child = spawn_process({"true"}, piped(stdio::pipe, stdio::null));
    (void)co_await child.wait();
    auto outcome = co_await child.in().write_some("unread").as_result();
    co_return outcome.has_error() && outcome.error() == boost::system::errc::broken_pipe;
  };
  BOOST_TEST(rt.block_on(work));
}

BOOST_AUTO_TEST_CASE(run_process_gives_status_and_both_outputs) {
  auto work = []() -> task<> {
    words command = shell("echo out; echo err >&2; exit 4");
    process_output seen = co_await run_process(command);
    BOOST_TEST(seen.out == "out\n");
    BOOST_TEST(seen.err == "err\n");
    BOOST_TEST(seen.status.code().value() == 4);
    // One that has had enough of its input is no error.
    run_process_options options;
    options.input.assign(1'000'000, 'x');
    words first{"head", "-c", "1"};
    seen = co_await run_process(first, options);
    BOOST_TEST(seen.out == "x");
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(one_that_writes_too_much_is_killed) {
  auto work = []() -> task<std::string> {
    run_process_options options;
    options.max_out_bytes = 1000;
    words endless{"yes"};
    try {
      (void)co_await run_process(endless, options);
    } catch (const system_error& error) {
      co_return error.code() == errc::too_long ? "too long" : error.what();
    }
    co_return "no error";
  };
  BOOST_TEST(rt.block_on(work) == "too long");
  while (::waitpid(-1, nullptr, WNOHANG) >= 0) pal::yield_thread();  // No child is left.
}

BOOST_AUTO_TEST_CASE(environment_and_folder_are_as_the_options_say) {
  test::temp_dir folder;
  auto work = [&]() -> task<> {
    run_process_options options;
    options.process.environment = words{"TROUPE_A=1", "TROUPE_B=two words"};
    options.process.folder = folder.at("");
    words command{"/bin/sh", "-c", "echo $TROUPE_A,$TROUPE_B,$HOME; touch here"};
    process_output seen = co_await run_process(command, options);
    // Without a PATH there is none but the shell's own.
    BOOST_TEST(seen.out == "1,two words,\n");
  };
  rt.block_on(work);
  BOOST_TEST(folder.entry_count() == 1u);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_run_is_an_error_with_its_reason) {
  int before = 0;
  auto work = [&]() -> task<> {
    before = open_fd_count();
    BOOST_TEST(error_of([] {
                 (void)spawn_process({"no-such-program"});
               }).starts_with("cannot run no-such-program: No such file or directory"));
    BOOST_TEST(error_of([] {
                 (void)spawn_process({"/etc/passwd"});
               }).starts_with("cannot run /etc/passwd: Permission denied"));
    process_options lost = piped(stdio::pipe, stdio::pipe);
    lost.folder = "/no/such/folder";
    BOOST_TEST(error_of([&] {
                 (void)spawn_process({"true"}, lost);
               }).starts_with("cannot run true in /no/such/folder: No such file or directory"));
    BOOST_TEST(error_of([] {
                 (void)spawn_process({std::string("a\0b", 3)});
               }).starts_with("cannot run a"));
    BOOST_TEST(test::misuse_of([] {
                 (void)spawn_process({});
               }).starts_with("spawn_process() was given no program"));
    BOOST_TEST(open_fd_count() == before);
    co_return;
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(without_descriptors_it_fails_and_leaves_no_child) {
  auto work = []() -> task<> {
    test::no_more_fds full;
    BOOST_TEST(error_of([] { (void)spawn_process({"true"}); }).find("Too many open files") !=
               std::string::npos);
    BOOST_TEST(error_of([] { (void)start_cat(); }).find("Too many open files") !=
               std::string::npos);
    co_return;
  };
  rt.block_on(work);
  while (::waitpid(-1, nullptr, WNOHANG) >= 0) pal::yield_thread();
}

BOOST_AUTO_TEST_CASE(no_descriptor_leaks_into_the_child) {
  auto work = []() -> task<std::string> {
    int leaky = ::open("/dev/null", O_RDONLY);  // NOLINT: without O_CLOEXEC, as others may do.
    connection ends = co_await connect_pair();
    words command{"ls", "/proc/self/fd"};
    process_output seen = co_await run_process(command);
    ::close(leaky);
    co_return seen.out;
  };
  // The fourth is the folder that ls reads.
  BOOST_TEST(rt.block_on(work) == "0\n1\n2\n3\n");
}

BOOST_AUTO_TEST_CASE(the_child_has_no_blocked_and_no_ignored_signals) {
  auto former = std::signal(SIGUSR2, SIG_IGN);
  auto work = [](std::string what) -> task<unsigned long> {
    words command{"sed", "-n", "s/^" + what + ":\t//p", "/proc/self/status"};
    process_output seen = co_await run_process(command);
    co_return std::stoul(seen.out, nullptr, 16);
  };
  // Signals 32 and 33 are the C library's own: it has them ignored in what it spawns.
  unsigned long own = (1UL << 31U) | (1UL << 32U);
  BOOST_TEST(rt.block_on(work, "SigBlk") == 0u);
  BOOST_TEST((rt.block_on(work, "SigIgn") & ~own) == 0u);
  std::signal(SIGUSR2, former);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_object_kills_and_reaps) {
  auto work = []() -> task<> {
    process child = start_cat();
    pid_t id = child.id();
    BOOST_TEST(!is_reaped(id));
    {
      process moved = std::move(child);
    }
    co_await until_reaped(id);
    BOOST_TEST(test::misuse_of([&] {
                 (void)child.wait();
               }).starts_with("a process was used after it was moved from"));
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_runtime_names_who_waits_and_reaps_the_child) {
  runtime_config one;
  one.workers = 1;
  auto ending = std::make_unique<runtime>(one);
  pid_t id = 0;
  ending
      ->spawn([&]() -> task<> {
        process child = start_cat();
        id = child.id();
        (void)co_await child.wait();
      })
      .detach();
  auto let_it_wait = []() -> task<> {
    for (int i = 0; i < 100; ++i) co_await yield();
  };
  ending->block_on(let_it_wait);
  bool is_named = false;
  for (const auto& each : ending->tasks()) is_named |= each.waits_for == "the end of a process";
  BOOST_TEST(is_named);
  ending.reset();
  BOOST_TEST(is_reaped(id));
}

BOOST_AUTO_TEST_CASE(terminate_asks_first) {
  auto work = []() -> task<> {
    process child = start_cat();
    exit_status status = co_await child.terminate(1h);
    BOOST_TEST(status.signal().value() == SIGTERM);
    // One that cleans up first.
    process polite = spawn_process(shell("trap 'exit 7' TERM; echo ready; read line"),
                                   piped(stdio::pipe, stdio::pipe));
    io::line_reader lines{polite.out()};
    (void)co_await lines.next_line();
    status = co_await polite.terminate(1h);
    BOOST_TEST(status.code().value() == 7);
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(terminate_kills_one_that_does_not_listen) {
  auto work = []() -> task<> {
    process deaf = spawn_process(shell("trap '' TERM; echo ready; read line"),
                                 piped(stdio::pipe, stdio::pipe));
    io::line_reader lines{deaf.out()};
    (void)co_await lines.next_line();
    exit_status status = co_await deaf.terminate(5ms);
    BOOST_TEST(status.signal().value() == SIGKILL);
  };
  rt.block_on(work);
}

// Goal:   a wait that loses a race loses no status.
BOOST_AUTO_TEST_CASE(cancel_safe_wait) {
  auto race = []() -> task<int> {
    int right = 0;
    for (int i = 0; i < 50; ++i) {
      process child = start_cat();
      event tick;
      auto ending = spawn([&]() -> task<> {
        child.in().close();
        tick.set();
        co_return;
      });
      auto first = co_await select(child.wait(), tick.wait());
      exit_status status = co_await child.wait();
      right += status.is_success() && first.index() <= 1;
      co_await ending;
    }
    co_return right;
  };
  BOOST_TEST(rt.block_on(race) == 50);
}

BOOST_AUTO_TEST_CASE(a_stop_of_run_process_kills_the_child) {
  auto work = []() -> task<> {
    test::temp_dir folder;
    std::string file = folder.at("id");
    auto running = spawn([&]() -> task<> {
      words command =
          shell("echo $$ > " + file + ".new; mv " + file + ".new " + file + "; exec cat /dev/zero");
      run_process_options options;
      options.max_out_bytes = SIZE_MAX;
      command[2] += " > /dev/null";
      (void)co_await run_process(command, options);
    });
    std::string id;
    while (id.empty()) {
      words read_it{"cat", file};
      process_output seen = co_await run_process(read_it);
      id = seen.out;
    }
    co_await running.cancel();
    co_await until_reaped(std::stoi(id));
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(many_processes_at_once) {
  auto work = []() -> task<int> {
    std::vector<join_handle<bool>> all;
    for (int i = 0; i < 40; ++i) {
      all.push_back(spawn([i]() -> task<bool> {
        words command{"echo", std::to_string(i)};
        process_output seen = co_await run_process(command);
        co_return seen.out == std::to_string(i) + "\n" && seen.status.is_success();
      }));
    }
    int right = 0;
    for (auto& each : all) {
      bool is_right = co_await each;
      right += is_right;
    }
    co_return right;
  };
  BOOST_TEST(rt.block_on(work) == 40);
}

BOOST_AUTO_TEST_CASE(what_is_no_pipe_and_two_waits_are_a_misuse) {
  auto work = []() -> task<> {
    process child = start_cat();
    BOOST_TEST(test::misuse_of([&] {
                 (void)child.err();
               }).starts_with("this stream of a process is no pipe"));
    auto waiting = spawn([&]() -> task<> { (void)co_await child.wait(); });
    for (int i = 0; i < 100; ++i) co_await yield();
    test::thrown_misuse guard;
    std::string seen;
    try {
      (void)co_await child.wait();
    } catch (const test::misused& error) {
      seen = error.what();
    }
    BOOST_TEST(seen.starts_with("two tasks wait for one process at once"));
    co_await waiting.cancel();
  };
  runtime_config one;
  one.workers = 1;
  runtime{one}.block_on(work);
}

BOOST_AUTO_TEST_CASE(outside_a_runtime_or_without_a_network_it_is_a_misuse) {
  BOOST_TEST(test::misuse_of([] {
               (void)spawn_process({"true"});
             }).starts_with("a net function was called outside a runtime"));
  runtime_config bare_config;
  bare_config.network = false;
  runtime bare{bare_config};
  auto run_it = []() -> task<std::string> {
    co_return test::misuse_of([] { (void)spawn_process({"true"}); });
  };
  BOOST_TEST(bare.block_on(run_it).starts_with(
      "a net function was called in a runtime without a network"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
