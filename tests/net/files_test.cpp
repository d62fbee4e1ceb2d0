#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/test/unit_test.hpp>

#include <troupe/net/files.hpp>
#include <troupe/pal/mutex.hpp>
#include <troupe/runtime/runtime.hpp>
#include <troupe/sched/spawn_blocking.hpp>
#include <troupe/task/spawn.hpp>
#include <troupe/task/yield.hpp>

#include <net/limited_fds.hpp>
#include <net/temp_dir.hpp>
#include <thrown_misuse.hpp>

namespace troupe::net {

namespace {

// No network: files do without one.
struct in_a_folder {
  static runtime_config config() {
    runtime_config two;
    two.workers = 2;
    two.network = false;
    two.max_blocking_threads = 4;
    return two;
  }
  runtime rt{config()};
  test::temp_dir folder;
  std::string path = folder.at("file");
};

template <class Body>
task<std::string> failure_of(Body body) {
  std::string text;
  try {
    co_await body();
  } catch (const system_error& error) {
    text = error.what();
  }
  co_return text;
}

mode_t mode_of(const std::string& path) {
  struct stat seen{};
  return ::stat(path.c_str(), &seen) == 0 ? seen.st_mode & 0777 : 0;
}

write_options with(write_mode mode) {
  write_options options;
  options.mode = mode;
  return options;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(files_, in_a_folder)

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  auto copy = [&]() -> task<> {
    std::vector<std::string> all{"", "a", std::string("\0b\n", 3), std::string(300'000, 'x')};
    for (const auto& bytes : all) {
      co_await write_file(path, bytes);
      BOOST_TEST((co_await read_file(path, 300'000) == bytes));
    }
  };
  rt.block_on(copy);
}

BOOST_AUTO_TEST_CASE(a_file_longer_than_the_limit_is_an_error_and_one_of_its_length_is_not) {
  auto read = [&]() -> task<> {
    co_await write_file(path, "12345");
    BOOST_TEST(co_await read_file(path, 5) == "12345");
    std::string text = co_await failure_of([&] { return read_file(path, 4); });
    BOOST_TEST(text.starts_with("cannot read " + path + ": longer than the limit"));
    text = co_await failure_of([] { return read_file("/dev/zero", 1'000'000); });
    BOOST_TEST(text.starts_with("cannot read /dev/zero: longer than the limit"));
  };
  rt.block_on(read);
}

BOOST_AUTO_TEST_CASE(files_that_hide_their_size_are_read) {
  auto read = []() -> task<std::string> { co_return co_await read_file("/proc/self/comm", 100); };
  BOOST_TEST(!rt.block_on(read).empty());
}

BOOST_AUTO_TEST_CASE(append_and_truncate) {
  auto write = [&]() -> task<std::string> {
    co_await write_file(path, "one", with(write_mode::append));
    co_await write_file(path, "two", with(write_mode::append));
    std::string appended = co_await read_file(path, 100);
    co_await write_file(path, "3", with(write_mode::truncate));
    co_return appended + co_await read_file(path, 100);
  };
  BOOST_TEST(rt.block_on(write) == "onetwo3");
}

BOOST_AUTO_TEST_CASE(replace_leaves_nothing_but_the_new_file_with_the_old_permissions) {
  auto write = [&]() -> task<std::string> {
    co_await write_file(path, "old");
    BOOST_TEST(::chmod(path.c_str(), 0640) == 0);
    int reader = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    co_await write_file(path, "new", with(write_mode::replace));
    // Who had it open goes on with the old one.
    std::string old(3, ' ');
    BOOST_TEST(::read(reader, old.data(), 3) == 3);
    ::close(reader);
    co_return old + co_await read_file(path, 100);
  };
  BOOST_TEST(rt.block_on(write) == "oldnew");
  BOOST_TEST(folder.entry_count() == 1u);
  BOOST_TEST(mode_of(path) == 0640u);
}

BOOST_AUTO_TEST_CASE(replace_makes_a_file_where_there_is_none_and_follows_links) {
  std::string link = folder.at("link");
  auto write = [&]() -> task<> {
    co_await write_file(path, "first", with(write_mode::replace));
    BOOST_TEST(::symlink(path.c_str(), link.c_str()) == 0);
    co_await write_file(link, "second", with(write_mode::replace));
    BOOST_TEST(co_await read_file(path, 100) == "second");
  };
  rt.block_on(write);
  struct stat seen{};
  BOOST_TEST(::lstat(link.c_str(), &seen) == 0);
  BOOST_TEST(S_ISLNK(seen.st_mode));
  BOOST_TEST(folder.entry_count() == 2u);
}

BOOST_AUTO_TEST_CASE(a_replace_that_fails_leaves_the_old_file_alone) {
  std::string taken = folder.at("taken");
  auto write = [&]() -> task<> {
    // A folder that is not empty cannot be replaced by a file.
    BOOST_TEST(::mkdir(taken.c_str(), 0700) == 0);
    co_await write_file(taken + "/inside", "kept");
    std::string text =
        co_await failure_of([&] { return write_file(taken, "new", with(write_mode::replace)); });
    BOOST_TEST(text.starts_with("cannot write " + taken + ": Is a directory"));
    BOOST_TEST(co_await read_file(taken + "/inside", 100) == "kept");
  };
  rt.block_on(write);
  BOOST_TEST(folder.entry_count() == 1u);
}

// Goal:   a reader sees the old bytes or the new ones, never a part.
BOOST_AUTO_TEST_CASE(readers_never_see_a_part_of_a_replaced_file) {
  auto race = [&]() -> task<int> {
    std::string a(100'000, 'a'), b(100'000, 'b');
    co_await write_file(path, a);
    auto writing = spawn([&]() -> task<> {
      for (int i = 0; i < 20; ++i) {
        const std::string* next = i % 2 == 0 ? &b : &a;
        co_await write_file(path, *next, with(write_mode::replace));
      }
    });
    int broken = 0;
    while (!writing.done()) {
      std::string seen = co_await read_file(path, 200'000);
      broken += seen != a && seen != b;
    }
    co_await writing;
    co_return broken;
  };
  BOOST_TEST(rt.block_on(race) == 0);
}

BOOST_AUTO_TEST_CASE(an_open_file_is_read_and_written_at_places) {
  auto work = [&]() -> task<std::string> {
    file opened = co_await file::open(path, open_mode::write);
    co_await opened.write_all_at(0, "hello world");
    co_await opened.write_all_at(6, "there");
    co_await opened.write_all_at(12, "!");
    BOOST_TEST(co_await opened.size() == 13u);
    BOOST_TEST((co_await opened.read_at(10, 100) == std::string("e\0!", 3)));
    BOOST_TEST(co_await opened.read_at(13, 100) == "");
    BOOST_TEST(co_await opened.read_at(1'000, 100) == "");
    BOOST_TEST(co_await opened.read_at(0, 0) == "");
    co_await opened.resize(5);
    co_await opened.sync();
    co_return co_await opened.read_at(0, 100);
  };
  BOOST_TEST(rt.block_on(work) == "hello");
}

BOOST_AUTO_TEST_CASE(modes_of_opening) {
  auto work = [&]() -> task<> {
    std::string text = co_await failure_of([&] { return file::open(path, open_mode::read); });
    BOOST_TEST(text.starts_with("cannot open " + path + ": No such file"));
    file made = co_await file::open(path, open_mode::create, 0600);
    BOOST_TEST(mode_of(path) == 0600u);
    co_await made.write_all_at(0, "x");
    text = co_await failure_of([&] { return file::open(path, open_mode::create); });
    BOOST_TEST(text.starts_with("cannot open " + path + ": File exists"));
    file kept = co_await file::open(path, open_mode::write);
    BOOST_TEST(co_await kept.size() == 1u);
    file reader = co_await file::open(path, open_mode::read);
    text = co_await failure_of([&] { return reader.write_all_at(0, "y"); });
    BOOST_TEST(text.starts_with("cannot write " + path + ": Bad file descriptor"));
    file emptied = co_await file::open(path, open_mode::overwrite);
    BOOST_TEST(co_await emptied.size() == 0u);
  };
  rt.block_on(work);
}

BOOST_AUTO_TEST_CASE(errors_name_the_path) {
  auto work = [&]() -> task<> {
    std::string missing = folder.at("no/such/file");
    std::string text = co_await failure_of([&] { return read_file(missing, 10); });
    BOOST_TEST(text.starts_with("cannot read " + missing + ": No such file"));
    text = co_await failure_of([&] { return write_file(missing, "x"); });
    BOOST_TEST(text.starts_with("cannot write " + missing + ": No such file"));
    text = co_await failure_of([&] { return write_file(missing, "x", with(write_mode::replace)); });
    BOOST_TEST(text.starts_with("cannot write " + missing + ": No such file"));
    bool is_refused = false;
    try {
      co_await write_file(std::string("a\0b", 3), "x");
    } catch (const system_error& error) {
      is_refused = error.code() == boost::system::errc::invalid_argument;
    }
    BOOST_TEST(is_refused);
    test::no_more_fds full;
    text = co_await failure_of([&] { return write_file(path, "x"); });
    BOOST_TEST(text.starts_with("cannot write " + path + ": Too many open files"));
  };
  rt.block_on(work);
}

// Goal:   a cancelled wait ends at once, the work goes on, and what it needs outlives the task.
// Method: the pool's only thread is held until the writer has ended.
BOOST_AUTO_TEST_CASE(a_stop_lets_the_work_go_on_alone) {
  runtime_config one = config();
  one.workers = 1;
  one.max_blocking_threads = 1;
  runtime single{one};
  pal::mutex held;
  auto give_up = [&]() -> task<std::string> {
    held.lock();
    auto blocked = spawn_blocking([&] { pal::lock wait{held}; });
    auto writing = spawn([&]() -> task<> {
      std::string bytes(100'000, 'x');
      co_await write_file(path, std::move(bytes));
    });
    for (int i = 0; i < 100; ++i) co_await yield();
    BOOST_TEST(!writing.done());
    co_await writing.cancel();
    BOOST_TEST(folder.entry_count() == 0u);
    held.unlock();
    co_await blocked;
    co_return co_await read_file(path, 200'000);  // Behind it in the queue.
  };
  BOOST_TEST(single.block_on(give_up) == std::string(100'000, 'x'));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_closed_while_work_is_under_way_stays_until_its_end) {
  runtime_config one = config();
  one.workers = 1;
  one.max_blocking_threads = 1;
  runtime single{one};
  pal::mutex held;
  auto close = [&]() -> task<std::string> {
    file opened = co_await file::open(path, open_mode::write);
    held.lock();
    auto blocked = spawn_blocking([&] { pal::lock wait{held}; });
    auto writing = spawn([&]() -> task<> { co_await opened.write_all_at(0, "late"); });
    for (int i = 0; i < 100; ++i) co_await yield();
    opened.close();
    BOOST_TEST(!opened.is_open());
    held.unlock();
    co_await blocked;
    co_await writing;
    co_return co_await read_file(path, 100);
  };
  BOOST_TEST(single.block_on(close) == "late");
}

BOOST_AUTO_TEST_CASE(who_waits_is_named) {
  runtime_config one = config();
  one.workers = 1;
  one.max_blocking_threads = 1;
  runtime single{one};
  pal::mutex held;
  auto look = [&]() -> task<bool> {
    held.lock();
    auto blocked = spawn_blocking([&] { pal::lock wait{held}; });
    auto reading = spawn([&]() -> task<> { (void)co_await read_file(path, 1); });
    for (int i = 0; i < 100; ++i) co_await yield();
    bool is_named = false;
    for (const auto& each : single.tasks()) is_named |= each.waits_for == "blocking work";
    co_await reading.cancel();
    held.unlock();
    co_await blocked;
    co_return is_named;
  };
  BOOST_TEST(single.block_on(look));
}

BOOST_AUTO_TEST_CASE(many_files_at_once) {
  auto work = [&]() -> task<int> {
    std::vector<join_handle<bool>> all;
    for (int i = 0; i < 100; ++i) {
      all.push_back(spawn([this, i]() -> task<bool> {
        std::string name = folder.at(std::to_string(i)), text = "file " + std::to_string(i);
        co_await write_file(name, text, with(write_mode::replace));
        std::string got = co_await read_file(name, 100);
        co_return got == text;
      }));
    }
    int right = 0;
    for (auto& each : all) {
      bool is_right = co_await each;
      right += is_right;
    }
    co_return right;
  };
  BOOST_TEST(rt.block_on(work) == 100);
  BOOST_TEST(folder.entry_count() == 100u);
}

BOOST_AUTO_TEST_CASE(a_closed_file_is_a_misuse) {
  auto work = [&]() -> task<std::string> {
    file opened = co_await file::open(path, open_mode::write);
    opened.close();
    co_return test::misuse_of([&] { (void)opened.size(); });
  };
  BOOST_TEST(rt.block_on(work).starts_with("a file was used after it was closed or moved from"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe::net
